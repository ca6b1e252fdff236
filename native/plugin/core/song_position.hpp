// SPDX-License-Identifier: GPL-3.0-or-later
// Where in the song a block is: what hosts tell of it differs (docs/live.md).
#pragma once

#include "realtime.hpp"
#include "stream.hpp"

#include <cstdint>
#include <limits>

namespace terzetto::plugin {

class SongPosition {
public:
    explicit SongPosition(std::uint32_t hop = 512) : hop_(hop) {}

    // Of the block's first frame, as it comes in. `latency`: of the output; `in`: frames since the stream began.
    bridge::Transport next(const Block& block, std::uint32_t frames, std::uint32_t latency,
                           std::uint64_t in) noexcept TERZETTO_REALTIME;
    // Whether the last block did not go on where the one before had ended, or is the first that plays.
    bool jumped() const noexcept TERZETTO_REALTIME { return jumped_; }

private:
    static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

    std::uint32_t hop_;
    bool host_plays_ = false; // it did since it was prepared
    bool placed_ = false;     // the last block was playing, and the next holds
    bool jumped_ = false;
    std::int64_t expected_ = 0, told_ = kNever;
};

} // namespace terzetto::plugin
