// SPDX-License-Identifier: GPL-3.0-or-later
#include "stream.hpp"
#include "model.hpp"

#include <algorithm>

namespace terzetto::coherence {

namespace {

// Two frames of one channel in one tile: the one before, and this one.
struct Channel {
    Track track{2 * kLanes};
    float gain[kLanes] = {};
};

struct Tile {
    std::size_t bin, lanes;
    TemplateTile templates;
    Source a{2 * kLanes}, b{2 * kLanes};
    std::vector<Channel> channels;

    Tile(const Templates& t, std::size_t first, std::size_t count, std::size_t channel_count)
        : bin(first), lanes(count), templates(t, first, count), channels(channel_count) {}
};

// This frame becomes the one before.
void pass_on(std::vector<float>& two) {
    std::copy_n(two.begin() + kLanes, kLanes, two.begin());
}

} // namespace

struct Filter::State {
    std::size_t rows, bins, channels;
    SplitOptions options;
    std::vector<Tile> tiles;
    bool first = true;
};

Filter::Filter(const Templates& templates, const float* gain, std::size_t channels, const SplitOptions& options)
    : state_(new State{templates.rows, templates.bins, channels, options, {}}) {
    for (std::size_t bin = 0; bin < templates.bins; bin += kLanes) {
        const std::size_t lanes = std::min(kLanes, templates.bins - bin);
        Tile& tile = state_->tiles.emplace_back(templates, bin, lanes, channels);
        for (std::size_t c = 0; c < channels; ++c)
            std::copy_n(gain + c * templates.bins + bin, lanes, tile.channels[c].gain);
    }
}

Filter::~Filter() = default;

std::size_t Filter::rows() const {
    return state_->rows;
}
std::size_t Filter::bins() const {
    return state_->bins;
}
std::size_t Filter::channels() const {
    return state_->channels;
}

void Filter::reset() {
    state_->first = true;
}

void Filter::next(const Sample* x, const std::uint32_t* row, const float* in_left, const float* in_right,
                  std::size_t count, Sample* left) {
    State& state = *state_;
    // The first frame lies where the one before would: it has none.
    const std::size_t here = state.first ? 0 : kLanes;
    for (Tile& tile : state.tiles) {
        for (Source* source : {&tile.a, &tile.b}) {
            if (here) {
                pass_on(source->magnitude);
                pass_on(source->re);
                pass_on(source->im);
            }
            float *magnitude = &source->magnitude[here], *re = &source->re[here], *im = &source->im[here];
            std::fill_n(magnitude, kLanes, 0.0f);
            std::fill_n(re, kLanes, 0.0f);
            std::fill_n(im, kLanes, 0.0f);
            const float* h = source == &tile.a ? in_left : in_right;
            const TemplateTile& t = tile.templates;
            for (std::size_t e = 0; e < count; ++e) {
                const std::size_t w = row[e] * kLanes;
                if (h[e] > 0.0f) add_template(h[e], &t.magnitude[w], &t.re[w], &t.im[w], magnitude, re, im);
            }
        }
        for (std::size_t c = 0; c < state.channels; ++c) {
            Channel& channel = tile.channels[c];
            Track& track = channel.track;
            if (here)
                for (std::vector<float>* two : {&track.xr, &track.xi, &track.lr, &track.li, &track.p}) pass_on(*two);
            for (std::size_t i = 0; i < tile.lanes; ++i) {
                track.xr[here + i] = x[c * state.bins + tile.bin + i].real();
                track.xi[here + i] = x[c * state.bins + tile.bin + i].imag();
            }
            if (here)
                filter_frame(track, tile.a, tile.b, channel.gain, here, state.options);
            else
                first_frame(track, tile.a, tile.b, channel.gain, state.options);
            for (std::size_t i = 0; i < tile.lanes; ++i)
                left[c * state.bins + tile.bin + i] = Sample(track.lr[here + i], track.li[here + i]);
        }
    }
    if (!state.first) return;
    state.first = false;
    // So that the next frame finds the first where it passes it on from.
    const auto keep = [](std::vector<float>& two) { std::copy_n(two.begin(), kLanes, two.begin() + kLanes); };
    for (Tile& tile : state.tiles) {
        for (Source* source : {&tile.a, &tile.b})
            for (std::vector<float>* two : {&source->magnitude, &source->re, &source->im}) keep(*two);
        for (Channel& channel : tile.channels) {
            Track& t = channel.track;
            for (std::vector<float>* two : {&t.xr, &t.xi, &t.lr, &t.li, &t.p}) keep(*two);
        }
    }
}

} // namespace terzetto::coherence
