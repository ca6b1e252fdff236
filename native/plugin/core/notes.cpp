// SPDX-License-Identifier: GPL-3.0-or-later
#include "notes.hpp"

namespace terzetto::plugin {

void NotesIn::renumber(std::uint64_t from) noexcept {
    std::uint64_t kept = 0;
    std::array<Entry, kRoom> entries;
    visit(from, ~std::uint64_t{0}, [&](std::uint64_t at, const Note& note) { entries[kept++] = {at - from, note}; });
    entries_ = entries;
    count_ = kept;
}

void NotesOut::add(std::uint64_t due, std::uint8_t pitch, std::uint8_t velocity, std::uint8_t channel) noexcept {
    if (count_ == kRoom || pitch > 127 || velocity > 127 || channel < 1 || channel > 16) return;
    std::uint32_t at = count_++;
    for (; at > 0 && entries_[at - 1].due > due; --at) entries_[at] = entries_[at - 1];
    entries_[at] = {due, pitch, velocity, channel};
}

void NotesOut::end_all() noexcept {
    count_ = 0;
    end_all_ = sounding_.any();
}

void NotesOut::put(std::uint32_t frame, const Entry& entry) noexcept {
    const std::size_t place = (entry.channel - 1u) * 128u + entry.pitch;
    if (entry.velocity == 0 && !sounding_[place]) return;
    if (taken_count_ == kRoom) return;
    sounding_[place] = entry.velocity > 0;
    taken_[taken_count_++] = {frame, entry.pitch, entry.velocity, entry.channel};
}

std::uint32_t NotesOut::take(std::uint64_t from, std::uint32_t frames, bool silent) noexcept {
    taken_count_ = 0;
    if (end_all_) {
        end_all_ = false;
        for (std::size_t place = 0; place < sounding_.size(); ++place)
            if (sounding_[place])
                put(0, {from, static_cast<std::uint8_t>(place % 128), 0, static_cast<std::uint8_t>(place / 128 + 1)});
    }
    std::uint32_t done = 0;
    for (; done < count_ && entries_[done].due < from + frames; ++done) {
        const Entry& entry = entries_[done];
        const bool late = entry.due < from;
        if (entry.velocity > 0 && (late || silent)) continue;
        put(late ? 0 : static_cast<std::uint32_t>(entry.due - from), entry);
    }
    for (std::uint32_t i = done; i < count_; ++i) entries_[i - done] = entries_[i];
    count_ -= done;
    return taken_count_;
}

} // namespace terzetto::plugin
