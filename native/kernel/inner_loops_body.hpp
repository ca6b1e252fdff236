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

constexpr std::size_t kMostRows = Vec::accumulators / 4; // side by side, for 4 frames
constexpr std::size_t kMostMixed = 2;                    // of these; their pointers need registers, too

// a += W^T V for B rows and F frames, k in the lanes. The first M rows are two templates each: one for the first half
// of the frames and one (`late`) for the second. The sum of each pair (template, frame) runs in the same order whatever
// B, M and F are: a frame's result does not depend on its neighbours.
template <int B, int M, int F>
TERZETTO_INLINE void dot_columns(Vec (&a)[B][F], const float* const* w, const float* const* late,
                                 const float* const* frame, std::size_t columns) {
    const float* wp[B];
    const float* lp[M + 1];
    const float* vp[F];
    TERZETTO_UNROLL
    for (int b = 0; b < B; ++b) wp[b] = w[b];
    TERZETTO_UNROLL
    for (int b = 0; b < M; ++b) lp[b] = late[b];
    TERZETTO_UNROLL
    for (int f = 0; f < F; ++f) vp[f] = frame[f];
    for (std::size_t k = 0; k < columns; k += W) {
        Vec x[F];
        TERZETTO_UNROLL
        for (int f = 0; f < F; ++f) x[f] = Vec::load_any(vp[f] + k);
        TERZETTO_UNROLL
        for (int b = 0; b < B; ++b) {
            const Vec y = Vec::load_any(wp[b] + k);
            Vec z = y;
            if (b < M) z = Vec::load_any(lp[b] + k);
            TERZETTO_UNROLL
            for (int f = 0; f < F; ++f) a[b][f] = Vec::fma(f < 2 ? y : z, x[f], a[b][f]);
        }
    }
}

// A block of rows over all columns.
struct DotCall {
    const float* const* w;
    const float* const* w_tail;
    const float* const* frame;
    const float* const* frame_tail;
    float* const* out;
    std::size_t late; // this many rows on is the mixed rows' other template
    Span span;
};

template <int B, int M, int F>
void dot_block(const DotCall& c) {
    Vec a[B][F];
    TERZETTO_UNROLL
    for (int b = 0; b < B; ++b) {
        TERZETTO_UNROLL
        for (int f = 0; f < F; ++f) a[b][f] = Vec::all(0.0f);
    }
    dot_columns<B, M, F>(a, c.w, c.w + c.late, c.frame, c.span.full);
    if (c.span.tail) dot_columns<B, M, F>(a, c.w_tail, c.w_tail + c.late, c.frame_tail, W);
    const Vec zero = Vec::all(0.0f);
    TERZETTO_UNROLL
    for (int b = 0; b < B; ++b) {
        if constexpr (F == 1) {
            sum4(a[b][0], zero, zero, zero, c.out[b]);
        } else if (b < M) {
            alignas(kAlignment) float both[4];
            sum4(a[b][0], a[b][1], a[b][2], a[b][3], both);
            for (int f = 0; f < 4; ++f) c.out[f < 2 ? b : b + c.late][f] = both[f];
        } else {
            sum4(a[b][0], a[b][1], a[b][2], a[b][3], c.out[b]);
        }
    }
}

template <int B, int F>
inline void dot_block_any(std::size_t rows, std::size_t mixed, const DotCall& call) {
    if constexpr (B > 1) {
        if (rows < B) return dot_block_any<B - 1, F>(rows, mixed, call);
    }
    if constexpr (F > 1) {
        if (mixed == 1) return dot_block<B, 1, F>(call);
        if constexpr (B > 1) {
            if (mixed == 2) return dot_block<B, 2, F>(call);
        }
    }
    dot_block<B, 0, F>(call);
}

// Any number of rows, in blocks of nearly equal height. An early and a late template make one row.
template <int F>
inline void project_quad(const Quad& quad, Span span) {
    std::size_t mixed = quad.early < quad.late ? quad.early : quad.late;
    if (mixed > kMostMixed) mixed = kMostMixed;
    std::size_t count = quad.count - mixed;
    DotCall call{quad.w, quad.w_tail, quad.frame, quad.frame_tail, quad.out, count, span};
    for (std::size_t blocks = (count + kMostRows - 1) / kMostRows; blocks; --blocks) {
        const std::size_t rows = (count + blocks - 1) / blocks;
        const std::size_t here = mixed < rows ? mixed : rows;
        dot_block_any<kMostRows, F>(rows, here, call);
        call.w += rows;
        call.w_tail += rows;
        call.out += rows;
        count -= rows;
        mixed -= here;
    }
}

// Frames are read from end to end, as the processor's own prefetching likes it.
void project(const Quad* quads, std::size_t n, Span span) {
    for (std::size_t q = 0; q < n; ++q) {
        if (quads[q].live == 1)
            project_quad<1>(quads[q], span);
        else
            project_quad<4>(quads[q], span);
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

void spread(const Quad* quads, std::size_t n, Span span) {
    if (!n) return;
    const std::size_t columns = block_columns(most_rows(quads, n));
    const std::size_t lines = share(quads->ahead, n * (span.full / (W * Vec::spread_group)));
    for (std::size_t k = 0; k < span.full; k += columns) {
        const std::size_t end = span.full - k < columns ? span.full : k + columns;
        for (std::size_t q = 0; q < n; ++q) {
            const std::size_t rest = spread_columns<Vec::spread_group>(quads[q], k, end, lines);
            if (Vec::spread_group > 1) spread_columns<1>(quads[q], rest, end, lines);
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
