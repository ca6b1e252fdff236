// SPDX-License-Identifier: GPL-3.0-or-later
// The inner loops: the other product with V.
#pragma once

#include "inner_project_body.hpp"

namespace terzetto {
namespace TERZETTO_LEVEL {

// ---- spread: V H^T -------------------------------------------------------------------------------------

// Rows that are active in frames First .. Last - 1 of a quad.
template <int G, int First, int Last>
inline void spread_rows(float* const* into, const float* const* factors, std::size_t count, std::size_t at,
                        const Vec (&x)[4][G]) {
    for (std::size_t i = 0; i < count; ++i) {
        float* p = into[i] + at;
        const float* factor = factors[i];
        Vec y[G];
        TERZETTO_UNROLL
        for (int g = 0; g < G; ++g) y[g] = Vec::load(p + g * W);
        TERZETTO_UNROLL
        for (int f = First; f < Last; ++f) {
            const Vec c = Vec::all(factor[f]);
            TERZETTO_UNROLL
            for (int g = 0; g < G; ++g) y[g] = Vec::fma(c, x[f][g], y[g]);
        }
        TERZETTO_UNROLL
        for (int g = 0; g < G; ++g) y[g].store(p + g * W);
    }
}

template <int G>
inline void spread_group(const Quad& quad, float* const* into, std::size_t at, const Vec (&x)[4][G]) {
    const std::size_t both = quad.count - quad.early - quad.late;
    const float* const* factor = quad.factor;
    for (std::size_t set = 0; set < quad.sets; ++set, into += quad.count, factor += quad.count) {
        spread_rows<G, 0, 2>(into, factor, quad.early, at, x);
        spread_rows<G, 0, 4>(into + quad.early, factor + quad.early, both, at, x);
        spread_rows<G, 2, 4>(into + quad.early + both, factor + quad.early + both, quad.late, at, x);
    }
}

constexpr std::size_t kLine = kAlignment / sizeof(float);

// Between groups of columns: many at once would be dropped, and W^T V has no time to spare for it.
inline void pull(Ahead* ahead, std::size_t lines) {
    for (; lines && ahead->at < ahead->end; --lines, ahead->at += kLine) prefetch(ahead->at);
}

// Lines to pull in each of so many calls, to have fetched everything in the end.
inline std::size_t share(const Ahead* ahead, std::size_t calls) {
    if (ahead->at >= ahead->end) return 0;
    return static_cast<std::size_t>(ahead->end - ahead->at) / kLine / (calls ? calls : 1) + 1;
}

template <int G>
inline void load_group(const float* const* frame, std::size_t at, Vec (&x)[4][G]) {
    TERZETTO_UNROLL
    for (int f = 0; f < 4; ++f) {
        TERZETTO_UNROLL
        for (int g = 0; g < G; ++g) x[f][g] = Vec::load_any(frame[f] + at + g * W);
    }
}

template <int G>
inline std::size_t spread_columns(const Quad& quad, std::size_t k, std::size_t end, std::size_t lines) {
    for (; k + G * W <= end; k += G * W) {
        Vec x[4][G];
        load_group<G>(quad.frame, k, x);
        pull(quad.ahead, lines);
        spread_group<G>(quad, quad.into, k, x);
    }
    return k;
}

// A quad from end to end: blocks of columns for all quads in turn, so that their rows stay in the first-level cache,
// are no faster (the second level keeps up) and read the frames in pieces.
void spread(const Quad* quads, std::size_t n, Span span) {
    if (!n) return;
    const std::size_t lines = share(quads->ahead, n * (span.full / (W * Vec::spread_group)));
    for (std::size_t q = 0; q < n; ++q) {
        const std::size_t rest = spread_columns<Vec::spread_group>(quads[q], 0, span.full, lines);
        if (Vec::spread_group > 1) spread_columns<1>(quads[q], rest, span.full, lines);
    }
    if (!span.tail) return;
    for (std::size_t q = 0; q < n; ++q) {
        Vec x[4][1];
        load_group<1>(quads[q].frame_tail, 0, x);
        spread_group<1>(quads[q], quads[q].into_tail, 0, x);
    }
}

} // namespace TERZETTO_LEVEL
} // namespace terzetto
