// SPDX-License-Identifier: GPL-3.0-or-later
#include "song_position.hpp"

#include <cstdlib>

namespace terzetto::plugin {

namespace {

constexpr std::int64_t kWobble = 32; // frames by which a told position may be off without meaning it

} // namespace

bridge::Transport SongPosition::next(const Block& block, std::uint32_t frames, std::uint32_t latency,
                                     std::uint64_t in) noexcept {
    const bridge::Transport& told = block.transport;
    bridge::Transport transport = told;
    const bool of_output = block.transport_of_output, before_song = of_output && told.known != 0 && told.position < 0;
    const bool moves = told_ != kNever && told.position != told_;
    told_ = told.position;
    // Before the song the host may say that it does not play yet, and move. Offline that part is heard by nobody.
    const bool plays = told.known != 0 && (before_song ? block.realtime && moves : told.playing != 0);
    jumped_ = plays && !host_plays_;
    host_plays_ = host_plays_ || plays;
    if (!host_plays_ && !block.realtime &&
        !of_output) { // a host that renders without a transport: counted from the start
        transport.known = transport.playing = 1;
        transport.position = static_cast<std::int64_t>(in);
        transport.tempo = 0.0; // what it says of tempo and quarter notes, if anything, is of no song
        transport.quarters = bridge::Transport{}.quarters;
        return transport;
    }
    if (!plays) {
        transport.playing = 0;
        jumped_ = placed_ = false;
        host_plays_ = host_plays_ && !of_output;
        return transport;
    }
    transport.playing = 1;
    if (of_output) transport.position += latency;
    const std::int64_t apart = std::abs(transport.position - expected_);
    if (placed_ && (!moves || apart <= kWobble)) transport.position = expected_; // it tells changes only
    jumped_ = jumped_ || (placed_ && moves && apart > std::int64_t{hop_});
    placed_ = true;
    expected_ = transport.position + frames;
    return transport;
}

} // namespace terzetto::plugin
