// SPDX-License-Identifier: GPL-3.0-or-later
// The inner loops on top of lanes.hpp, here the two products with V; included once by each inner_loops_<level>.cpp,
// which is compiled with that level's flags. No standard containers here: see lanes.hpp.
#pragma once

#include "inner_loops.hpp"
#include "lanes.hpp"

#if defined(__GNUC__) && !defined(__clang__)
#define TERZETTO_UNROLL _Pragma("GCC unroll 16")
#elif defined(__clang__)
#define TERZETTO_UNROLL _Pragma("unroll")
#else
#define TERZETTO_UNROLL
#endif

namespace terzetto {
namespace TERZETTO_LEVEL {

constexpr std::size_t W = Vec::width;

// Columns per block: the rows in flight and the frames of a quad should stay in a 32 KiB first-level cache.
inline std::size_t block_columns(std::size_t rows) {
    const std::size_t group = W * Vec::spread_group;
    std::size_t columns = 6144 / (rows + 6);
    if (columns > 512) columns = 512;
    columns -= columns % group;
    return columns < 2 * group ? 2 * group : columns;
}

inline std::size_t most_rows(const Quad* quads, std::size_t n) {
    std::size_t rows = 0;
    for (std::size_t q = 0; q < n; ++q) rows = quads[q].count > rows ? quads[q].count : rows;
    return rows;
}

// ---- project: W^T V ------------------------------------------------------------------------------------

struct DotCall {
    const float* const* w;
    std::size_t w_at;
    const float* const* v;
    std::size_t v_at;
    std::size_t columns;
    float* sums; // 4 vectors a row, of which F are used
    bool fresh;
};

// B x F dot products side by side, k in the lanes. The sum of each pair (row, frame) runs in the same order
// whatever B, F and the block are: a frame's result does not depend on its neighbours.
template <int B, int F>
inline void dot_block(const DotCall& c) {
    Vec a[B][F];
    const float* wp[B];
    const float* vp[F];
    TERZETTO_UNROLL
    for (int b = 0; b < B; ++b) {
        wp[b] = c.w[b] + c.w_at;
        TERZETTO_UNROLL
        for (int f = 0; f < F; ++f) a[b][f] = c.fresh ? Vec::all(0.0f) : Vec::load(c.sums + (b * 4 + f) * W);
    }
    TERZETTO_UNROLL
    for (int f = 0; f < F; ++f) vp[f] = c.v[f] + c.v_at;
    for (std::size_t k = 0; k < c.columns; k += W) {
        Vec x[F];
        TERZETTO_UNROLL
        for (int f = 0; f < F; ++f) x[f] = Vec::load_any(vp[f] + k);
        TERZETTO_UNROLL
        for (int b = 0; b < B; ++b) {
            const Vec y = Vec::load_any(wp[b] + k);
            TERZETTO_UNROLL
            for (int f = 0; f < F; ++f) a[b][f] = Vec::fma(y, x[f], a[b][f]);
        }
    }
    TERZETTO_UNROLL
    for (int b = 0; b < B; ++b) {
        TERZETTO_UNROLL
        for (int f = 0; f < F; ++f) a[b][f].store(c.sums + (b * 4 + f) * W);
    }
}

template <int B, int F>
inline void dot_block_any(std::size_t rows, const DotCall& c) {
    if constexpr (B > 1) {
        if (rows < B) return dot_block_any<B - 1, F>(rows, c);
    }
    dot_block<B, F>(c);
}

// Any number of rows, in blocks of nearly equal height.
template <int F>
inline void dot_rows(std::size_t count, DotCall call) {
    constexpr int most = Vec::accumulators / 4;
    for (std::size_t blocks = (count + most - 1) / most; blocks; --blocks) {
        const std::size_t rows = (count + blocks - 1) / blocks;
        dot_block_any<most, F>(rows, call);
        call.w += rows;
        call.sums += rows * 4 * W;
        count -= rows;
    }
}

inline void dot_quad(const Quad& quad, const DotCall& call) {
    if (quad.live == 1)
        dot_rows<1>(quad.count, call);
    else
        dot_rows<4>(quad.count, call);
}

inline void write_sums(const Quad& quad, const float* sums) {
    const Vec zero = Vec::all(0.0f);
    for (std::size_t i = 0; i < quad.count; ++i) {
        const float* s = sums + i * 4 * W;
        if (quad.live == 1)
            sum4(Vec::load(s), zero, zero, zero, quad.out[i]);
        else
            sum4(Vec::load(s), Vec::load(s + W), Vec::load(s + 2 * W), Vec::load(s + 3 * W), quad.out[i]);
    }
}

// Frames are read from end to end, as the processor's own prefetching likes it.
void project(const Quad* quads, std::size_t n, Span span, float* sums) {
    for (std::size_t q = 0; q < n; ++q) {
        const Quad& quad = quads[q];
        dot_quad(quad, {quad.w, 0, quad.frame, 0, span.full, sums, true});
        if (span.tail) dot_quad(quad, {quad.w_tail, 0, quad.frame_tail, 0, W, sums, false});
        write_sums(quad, sums);
    }
}

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

// Called for each quad and block of columns: a few dozen calls a strip, that must fetch the next one's 16 frames.
inline void pull(Ahead* ahead) {
    constexpr std::size_t line = kAlignment / sizeof(float);
    for (int i = 0; i < 96 && ahead->at < ahead->end; ++i, ahead->at += line) prefetch(ahead->at);
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
inline std::size_t spread_columns(const Quad& quad, std::size_t k, std::size_t end) {
    for (; k + G * W <= end; k += G * W) {
        Vec x[4][G];
        load_group<G>(quad.frame, k, x);
        spread_group<G>(quad, quad.into, k, x);
    }
    return k;
}

void spread(const Quad* quads, std::size_t n, Span span) {
    const std::size_t columns = block_columns(most_rows(quads, n));
    for (std::size_t k = 0; k < span.full; k += columns) {
        const std::size_t end = span.full - k < columns ? span.full : k + columns;
        for (std::size_t q = 0; q < n; ++q) {
            pull(quads[q].ahead);
            const std::size_t rest = spread_columns<Vec::spread_group>(quads[q], k, end);
            if (Vec::spread_group > 1) spread_columns<1>(quads[q], rest, end);
        }
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
