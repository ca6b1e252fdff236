// SPDX-License-Identifier: GPL-3.0-or-later
// Part a spectrogram into two sources with the help of phase.
//
// A partial of a ringing string turns its phase by the same angle from frame to frame. Templates therefore
// carry, besides a magnitude per bin, a phase advance per bin (learned where one template dominates). With
// it, each source is a first-order process along time in every bin,
//
//     l[n] = a[n] l[n-1] + noise,   r[n] = b[n] r[n-1] + noise,   x[n] = l[n] + r[n]   (x is observed
//     exactly)
//
// whose gains a, b hold the expected advance and decay and whose noise holds what the magnitudes leave over.
// A Kalman filter and a backward smoother find l. Without coherence (a = b = 0) this is the Wiener filter.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace terzetto::coherence {

using Sample = std::complex<float>;

// The non-zero activations of both sources, frame by frame.
struct Activations {
    std::vector<std::uint32_t> start; // frames + 1
    std::vector<std::uint32_t> row;   // template of each entry
    std::vector<float> left, right;   // activation in each source

    // From dense templates x frames arrays; `right` may be null.
    static Activations from_dense(const float* left, const float* right, std::size_t rows, std::size_t frames);
    std::size_t frames() const { return start.size() - 1; }
};

// Templates, rows x bins.
struct Templates {
    const float* magnitude;
    const Sample* turning; // magnitude times phase advance; only for split()
    std::size_t rows, bins;
};

// Sum x[n] conj(x[n-1]), and its magnitude, into `turn` and `size` (rows x bins) wherever a template that
// sounds in both frames makes up more than `threshold` (0..1) of the bin. x: frames x bins.
void learn(const Sample* x, const Templates& templates, const Activations& activations, float threshold, Sample* turn,
           float* size, unsigned threads);

struct SplitOptions {
    float correlation = 0.98f; // of a source with itself one frame later, at perfect coherence
    float floor = 1e-10f;      // variance that every source has, in units of |x|^2
    float surprise = 0.5f;     // how much an unexpected x opens the noise
    float reach = 0.5f;        // bound on the smoother's correction, in standard deviations of the filter
};

// Write the left source (frames x bins); the right one is x minus it. `gain` (bins) scales the templates to
// this x.
void split(const Sample* x, const Templates& templates, const Activations& activations, const float* gain,
           const SplitOptions& options, Sample* left, unsigned threads);

} // namespace terzetto::coherence
