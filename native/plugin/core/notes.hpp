// SPDX-License-Identifier: GPL-3.0-or-later
// Notes on their way, in fixed memory: those that came in, kept for an engine that has to hear them again, and those
// that the engine plays, kept until their sound is heard. Frames count from the stream's beginning.
#pragma once

#include "realtime.hpp"
#include "stream.hpp"

#include <array>
#include <bitset>
#include <cstdint>

namespace terzetto::plugin {

// What came in lately.
class NotesIn {
public:
    void clear() noexcept TERZETTO_REALTIME { count_ = 0; }
    void add(std::uint64_t at, const Note& note) noexcept TERZETTO_REALTIME { entries_[count_++ % kRoom] = {at, note}; }
    // What was frame `from` is frame 0 now; what came before is forgotten.
    void renumber(std::uint64_t from) noexcept;
    // Calls `each(at, note)` for those in [begin, end), in the order in which they came.
    template <typename Each>
    void visit(std::uint64_t begin, std::uint64_t end, Each each) const noexcept {
        for (std::uint64_t i = count_ < kRoom ? 0 : count_ - kRoom; i < count_; ++i) {
            const Entry& entry = entries_[i % kRoom];
            if (entry.at >= begin && entry.at < end) each(entry.at, entry.note);
        }
    }

private:
    static constexpr std::uint64_t kRoom = 1024;
    struct Entry {
        std::uint64_t at;
        Note note;
    };
    std::array<Entry, kRoom> entries_{};
    std::uint64_t count_ = 0;
};

// What is to go out. A note whose beginning came too late is left out, as its sound is; an end never is.
class NotesOut {
public:
    void add(std::uint64_t due, std::uint8_t pitch, std::uint8_t velocity,
             std::uint8_t channel) noexcept TERZETTO_REALTIME;
    void forget() noexcept TERZETTO_REALTIME { count_ = 0; } // what is due later; it is told again
    void end_all() noexcept TERZETTO_REALTIME;               // forget, and end what sounds
    // Those of the block of `frames` from `from` on, by rising frame; `silent`: beginnings are left out. At most kRoom.
    std::uint32_t take(std::uint64_t from, std::uint32_t frames, bool silent) noexcept TERZETTO_REALTIME;
    const Note* taken() const noexcept { return taken_.data(); }

private:
    static constexpr std::uint32_t kRoom = 512;
    struct Entry {
        std::uint64_t due;
        std::uint8_t pitch, velocity, channel;
    };
    void put(std::uint32_t frame, const Entry& entry) noexcept TERZETTO_REALTIME;

    std::array<Entry, kRoom> entries_{}; // by rising `due`
    std::uint32_t count_ = 0, taken_count_ = 0;
    std::array<Note, kRoom> taken_{};
    std::bitset<16 * 128> sounding_;
    bool end_all_ = false;
};

} // namespace terzetto::plugin
