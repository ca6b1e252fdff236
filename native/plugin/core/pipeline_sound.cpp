// SPDX-License-Identifier: GPL-3.0-or-later
// What is heard: the engine's sound, the delayed dry signal, and the fades between them.
#include "pipeline.hpp"

#include <algorithm>

namespace terzetto::plugin {

// In an epoch that began in mid-stream the engine's first frames are still empty.
bool Pipeline::warming_up(std::int64_t hop) const noexcept {
    const auto origin = static_cast<std::int64_t>(origin_);
    return origin > 0 && hop >= origin && (hop - origin) * hop_ < engine_latency_ + std::int64_t{kTail};
}

void Pipeline::choose(std::int64_t hop) noexcept {
    const bool good = hop >= 0 && !warming_up(hop) && (realtime_ ? has(hop) : await(hop));
    if (!good && hop >= served_from_) ++late_;
    const bool was = (mode_ == Mode::Wet || mode_ == Mode::FadeIn) && has(hop - 1);
    mode_ = good ? (was ? Mode::Wet : Mode::FadeIn) : (was ? Mode::FadeOut : Mode::Dry);
    playing_ = std::max(hop, kNone);
    wet_ = good;
}

float Pipeline::dry(std::uint32_t channel, std::uint64_t at) const noexcept {
    const auto now = static_cast<std::int64_t>(at);
    const float current = history_.frame(channel, now - static_cast<std::int64_t>(dry_delay_));
    if (dry_fade_ >= kTail) return current;
    const float share = (static_cast<float>(dry_fade_) + 0.5f) / static_cast<float>(kTail);
    const float before = history_.frame(channel, now - static_cast<std::int64_t>(dry_delay_before_));
    return before + share * (current - before);
}

void Pipeline::play(float* const* audio, std::uint32_t offset, std::uint32_t count, bool bypass) noexcept {
    const std::uint32_t phase = spot(in_).phase;
    const std::size_t stride = hop_ + kTail;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t at = phase + i;
        const float share = at < kTail ? (static_cast<float>(at) + 0.5f) / static_cast<float>(kTail) : 1.0f;
        bypassed_ = std::clamp(bypassed_ + (bypass ? 1.0f : -1.0f) / static_cast<float>(kTail), 0.0f, 1.0f);
        for (std::uint32_t c = 0; c < stream_.channels; ++c) {
            const float plain = dry(c, in_ + i);
            float sample = plain;
            if (mode_ == Mode::Wet) {
                sample = held(playing_).audio[c * stride + at];
            } else if (mode_ == Mode::FadeIn) {
                const float wet = held(playing_).audio[c * stride + at];
                sample = share < 1.0f ? plain + share * (wet - plain) : wet;
            } else if (mode_ == Mode::FadeOut && share < 1.0f) {
                const float wet = held(playing_ - 1).audio[c * stride + hop_ + at];
                sample = wet + share * (plain - wet);
            }
            if (bypassed_ > 0.0f) sample = bypassed_ < 1.0f ? sample + bypassed_ * (plain - sample) : plain;
            audio[c][offset + i] = sample;
        }
        if (dry_fade_ < kTail) ++dry_fade_;
    }
}

} // namespace terzetto::plugin
