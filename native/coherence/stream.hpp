// SPDX-License-Identifier: GPL-3.0-or-later
// The filter of coherence.hpp on a stream: one frame after the other, without a look ahead.
#pragma once

#include "coherence.hpp"

#include <memory>

namespace terzetto::coherence {

// Keeps its own copy of the templates. Not for several threads at once.
class Filter {
public:
    // gain: channels x bins, scales the templates to each channel.
    Filter(const Templates& templates, const float* gain, std::size_t channels, const SplitOptions& options);
    ~Filter();

    std::size_t rows() const;
    std::size_t bins() const;
    std::size_t channels() const;

    // The left source of the next frame; x and left: channels x bins. `row` names the templates that sound, each once,
    // and `in_left`, `in_right` their activations in both sources. What split() gives with a reach of 0.
    void next(const Sample* x, const std::uint32_t* row, const float* in_left, const float* in_right, std::size_t count,
              Sample* left);

    void reset(); // the next frame has no past

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace terzetto::coherence
