// SPDX-License-Identifier: GPL-3.0-or-later
// The inner loops on top of lanes.hpp, here W^T V; included once by each inner_loops_<level>.cpp, which is compiled
// with that level's flags. No standard containers here: see lanes.hpp.
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

// ---- project: W^T V ------------------------------------------------------------------------------------

constexpr std::size_t kMostRows = Vec::accumulators / 4; // side by side, for 4 frames
constexpr std::size_t kMostMixed = 2;                    // of these; their pointers need registers, too

// Fetching frames this far ahead of their use is worth 2 % to AVX-512 and costs narrower vectors 1 %.
constexpr std::size_t kNearFloats = 24 * W;
constexpr bool kFetchNear = W == 16;

// a += W^T V for B rows and F frames, k in the lanes. The first M rows are two templates each: one for the first half
// of the frames and one (`late`) for the second. The sum of each pair (template, frame) runs in the same order whatever
// B, M and F are: a frame's result does not depend on its neighbours. `Near`: the frames come from the second-level
// cache.
template <int B, int M, int F, bool Near>
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
        if (Near) {
            TERZETTO_UNROLL
            for (int f = 0; f < F; ++f) prefetch_near(vp[f] + k + kNearFloats);
        }
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
    dot_columns<B, M, F, kFetchNear>(a, c.w, c.w + c.late, c.frame, c.span.full);
    if (c.span.tail) dot_columns<B, M, F, false>(a, c.w_tail, c.w_tail + c.late, c.frame_tail, W);
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

// ---- W^T Q for a block of columns of Q, added to `sums`: 4 vectors a row --------------------------------

struct PartCall {
    const float* const* w;
    const float* const* q;
    std::size_t columns;
    float* sums;
};

template <int B, int F>
void dot_part(std::size_t rows, std::size_t at, const PartCall& c) {
    if constexpr (B > 1) {
        if (rows < B) return dot_part<B - 1, F>(rows, at, c);
    }
    const float* w[B];
    Vec a[B][F];
    TERZETTO_UNROLL
    for (int b = 0; b < B; ++b) {
        w[b] = c.w[b] + at;
        TERZETTO_UNROLL
        for (int f = 0; f < F; ++f) a[b][f] = Vec::load(c.sums + (b * 4 + f) * W);
    }
    dot_columns<B, 0, F, false>(a, w, w, c.q, c.columns);
    TERZETTO_UNROLL
    for (int b = 0; b < B; ++b) {
        TERZETTO_UNROLL
        for (int f = 0; f < F; ++f) a[b][f].store(c.sums + (b * 4 + f) * W);
    }
}

inline void dot_quad(const Quad& quad, std::size_t at, PartCall call) {
    std::size_t count = quad.count;
    for (std::size_t blocks = (count + kMostRows - 1) / kMostRows; blocks; --blocks) {
        const std::size_t rows = (count + blocks - 1) / blocks;
        if (quad.live == 1)
            dot_part<kMostRows, 1>(rows, at, call);
        else
            dot_part<kMostRows, 4>(rows, at, call);
        call.w += rows;
        call.sums += rows * 4 * W;
        count -= rows;
    }
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

} // namespace TERZETTO_LEVEL
} // namespace terzetto
