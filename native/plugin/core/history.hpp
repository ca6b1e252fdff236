// SPDX-License-Identifier: GPL-3.0-or-later
// The stream as it came in: whole hops lie contiguous in it (they are posted from here, and again when an engine is
// restarted), and the delayed dry signal is read out of it. Frames count from the stream's beginning; before it is
// silence.
#pragma once

#include "realtime.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace terzetto::plugin {

class History {
public:
    // Keeps at least `frames` frames; `hop`, a power of two, divides what it really keeps.
    void prepare(std::uint32_t channels, std::uint32_t hop, std::uint64_t frames);

    // Frames [at, at + count), which may not cross the end of a hop.
    void write(std::uint64_t at, const float* const* audio, std::uint32_t count) noexcept TERZETTO_REALTIME;
    void note_transport(std::uint64_t hop, const bridge::Transport& transport) noexcept TERZETTO_REALTIME;

    // What was frame `from` is frame 0 now. Offline only: it moves everything.
    void renumber(std::uint64_t from) noexcept;

    float frame(std::uint32_t channel, std::int64_t at) const noexcept TERZETTO_REALTIME {
        return at < 0 ? 0.0f : audio_[channel][static_cast<std::uint64_t>(at) & mask_];
    }
    std::array<const float*, bridge::kMaxChannels> hop(std::uint64_t hop) const noexcept TERZETTO_REALTIME;
    const bridge::Transport& transport(std::uint64_t hop) const noexcept TERZETTO_REALTIME {
        return transports_[hop & (transports_.size() - 1)];
    }
    std::uint64_t frames() const { return mask_ + 1; }

private:
    std::uint32_t hop_ = 1;
    std::uint64_t mask_ = 0;
    std::vector<std::vector<float>> audio_; // channels x frames
    std::vector<bridge::Transport> transports_;
};

} // namespace terzetto::plugin
