// SPDX-License-Identifier: GPL-3.0-or-later
#include "history.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace terzetto::plugin {

void History::prepare(std::uint32_t channels, std::uint32_t hop, std::uint64_t frames) {
    if (hop == 0 || (hop & (hop - 1)) != 0) throw std::invalid_argument("the hop must be a power of two");
    std::uint64_t kept = hop;
    while (kept < frames) kept *= 2;
    hop_ = hop;
    mask_ = kept - 1;
    audio_.assign(channels, std::vector<float>(kept));
    transports_.assign(kept / hop, bridge::Transport{});
}

void History::write(std::uint64_t at, const float* const* audio, std::uint32_t count) noexcept {
    for (std::size_t c = 0; c < audio_.size(); ++c)
        std::memcpy(audio_[c].data() + (at & mask_), audio[c], sizeof(float) * count);
}

void History::renumber(std::uint64_t from) noexcept {
    for (auto& channel : audio_)
        std::rotate(channel.begin(), channel.begin() + static_cast<std::ptrdiff_t>(from & mask_), channel.end());
}

void History::note_transport(std::uint64_t hop, const bridge::Transport& transport) noexcept {
    transports_[hop & (transports_.size() - 1)] = transport;
}

std::array<const float*, bridge::kMaxChannels> History::hop(std::uint64_t hop) const noexcept {
    std::array<const float*, bridge::kMaxChannels> pointers{};
    for (std::size_t c = 0; c < audio_.size(); ++c) pointers[c] = audio_[c].data() + ((hop * hop_) & mask_);
    return pointers;
}

} // namespace terzetto::plugin
