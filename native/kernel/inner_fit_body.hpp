// SPDX-License-Identifier: GPL-3.0-or-later
// The inner loop of the encoder's fit: nonnegative least squares for one row.
#pragma once

#include "inner_small_body.hpp"

namespace terzetto {
namespace TERZETTO_LEVEL {

// out += D^T c for 4 rows of D, c given.
inline void add_rows(float* out, const float* const* row, const float* c, std::size_t columns) {
    const Vec c0 = Vec::all(c[0]), c1 = Vec::all(c[1]), c2 = Vec::all(c[2]), c3 = Vec::all(c[3]);
    for (std::size_t k = 0; k < columns; k += W) {
        const Vec a = Vec::fma(c0, Vec::load(row[0] + k), Vec::fma(c1, Vec::load(row[1] + k), Vec::load(out + k)));
        Vec::fma(c2, Vec::load(row[2] + k), Vec::fma(c3, Vec::load(row[3] + k), a)).store(out + k);
    }
}

// c = D w for 4 rows of D; two sums each, so that they need not wait for each other.
inline void dot_four(float* c, const float* const* row, const float* w, std::size_t columns) {
    Vec a[4], b[4];
    for (int f = 0; f < 4; ++f) a[f] = b[f] = Vec::all(0.0f);
    std::size_t k = 0;
    for (; k + 2 * W <= columns; k += 2 * W) {
        const Vec x = Vec::load(w + k), y = Vec::load(w + k + W);
        TERZETTO_UNROLL
        for (int f = 0; f < 4; ++f) {
            a[f] = Vec::fma(x, Vec::load(row[f] + k), a[f]);
            b[f] = Vec::fma(y, Vec::load(row[f] + k + W), b[f]);
        }
    }
    if (k < columns)
        for (int f = 0; f < 4; ++f) a[f] = Vec::fma(Vec::load(w + k), Vec::load(row[f] + k), a[f]);
    sum4(a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], c);
}

void fit_row(float* weights, const float* data, const float* target, std::size_t rows, std::size_t columns,
             int iterations, float* scratch) {
    float* const numerator = scratch;
    float* const denominator = scratch + columns;
    alignas(kAlignment) float c[4];
    const Vec zero = Vec::all(0.0f);
    for (int i = -1; i < iterations; ++i) {
        float* const out = i < 0 ? numerator : denominator;
        for (std::size_t k = 0; k < columns; k += W) zero.store(out + k);
        // A few rows at a time: they are still in the first-level cache when they are added up.
        for (std::size_t r = 0; r < rows; r += 4) {
            const float* const first = data + r * columns;
            const float* const row[4] = {first, first + columns, first + 2 * columns, first + 3 * columns};
            if (i >= 0) dot_four(c, row, weights, columns);
            add_rows(out, row, i < 0 ? target + r : c, columns);
        }
        if (i < 0) continue;
        for (std::size_t k = 0; k < columns; k += W)
            stepped(Vec::load(weights + k), Vec::load(numerator + k), Vec::load(denominator + k)).store(weights + k);
    }
}

inline InnerLoops table(const char* name) {
    return {name,           W,       project,    spread, ratio_project, ratio_spread,     loss,      square_sum,
            step_euclidean, step_kl, gram_times, outer,  inner,         refine_euclidean, refine_kl, refine_encoder,
            gram_rows,      row_sum, fit_row};
}

} // namespace TERZETTO_LEVEL
} // namespace terzetto
