// SPDX-License-Identifier: GPL-3.0-or-later
// The inner loops that reconstruct W H: the ratio V / (W H) of the Kullback-Leibler updates, and both losses.
#pragma once

#include "inner_spread_body.hpp"

namespace terzetto {
namespace TERZETTO_LEVEL {

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

// ---- Kullback-Leibler: the ratio V / (W H) -------------------------------------------------------------

template <int G, int First, int Last>
inline void reconstruct_rows(const float* const* w, const float* const* h, std::size_t count, std::size_t at,
                             Vec (&r)[4][G]) {
    for (std::size_t i = 0; i < count; ++i) {
        const float* row = w[i] + at;
        Vec y[G];
        TERZETTO_UNROLL
        for (int g = 0; g < G; ++g) y[g] = Vec::load_any(row + g * W);
        TERZETTO_UNROLL
        for (int f = First; f < Last; ++f) {
            const Vec c = Vec::all(h[i][f]);
            TERZETTO_UNROLL
            for (int g = 0; g < G; ++g) r[f][g] = Vec::fma(c, y[g], r[f][g]);
        }
    }
}

// r = W H for 4 frames and G vectors of columns.
template <int G>
inline void reconstruct(const Quad& quad, const float* const* w, std::size_t at, Vec (&r)[4][G]) {
    TERZETTO_UNROLL
    for (int f = 0; f < 4; ++f) {
        TERZETTO_UNROLL
        for (int g = 0; g < G; ++g) r[f][g] = Vec::all(0.0f);
    }
    const std::size_t late_at = quad.count - quad.late;
    reconstruct_rows<G, 0, 2>(w, quad.h, quad.early, at, r);
    reconstruct_rows<G, 0, 4>(w + quad.early, quad.h + quad.early, late_at - quad.early, at, r);
    reconstruct_rows<G, 2, 4>(w + late_at, quad.h + late_at, quad.late, at, r);
}

// Denominators near the end of the float range must not make an infinity out of a finite quotient.
constexpr float kMostRatio = 1e30f;

// Where nothing is modelled the quotient is 0: no active template reaches that entry, so no update needs it.
inline Vec ratio(Vec v, Vec model) {
    const Vec q = Vec::min(Vec::quotient(v, model), Vec::all(kMostRatio));
    return Vec::where_positive(model, q, Vec::all(0.0f));
}

// log(1 + t) = t - t^2/2 + t^3 p(t) for 1 + t in [sqrt(1/2), sqrt(2)); coefficients of Cephes logf.
inline Vec log_rest(Vec t) {
    Vec p = Vec::all(7.0376836292e-2f);
    p = Vec::fma(p, t, Vec::all(-1.1514610310e-1f));
    p = Vec::fma(p, t, Vec::all(1.1676998740e-1f));
    p = Vec::fma(p, t, Vec::all(-1.2420140846e-1f));
    p = Vec::fma(p, t, Vec::all(1.4249322787e-1f));
    p = Vec::fma(p, t, Vec::all(-1.6668057665e-1f));
    p = Vec::fma(p, t, Vec::all(2.0000714765e-1f));
    p = Vec::fma(p, t, Vec::all(-2.4999993993e-1f));
    return Vec::fma(p, t, Vec::all(3.3333331174e-1f));
}

// v log(v / m) - v + m. With q = v/m = 2^e (1 + t): m (q e ln 2 + [(1 + t) log(1 + t) - t] 2^e - (2^e - 1)), whose
// bracket is t^2 (1/2 - t/2 + t (1 + t) p(t)): nothing cancels where the model fits (e = 0).
inline Vec divergence(Vec v, Vec model) {
    const Vec one = Vec::all(1.0f);
    const Vec m = Vec::max(model, Vec::all(kLogFloor));
    const Vec q = Vec::min(Vec::max(Vec::quotient(v, m), Vec::all(1e-37f)), Vec::all(1e37f));
    Vec e;
    const Vec mantissa = q.split(e);
    const Vec t = mantissa - one;
    const Vec rest = log_rest(t);
    const Vec near_fit = m * (t * t) * Vec::fma(t, Vec::fma(mantissa, rest, Vec::all(-0.5f)), Vec::all(0.5f));
    const Vec log_q = Vec::fma(e, Vec::all(0.693147181f), Vec::fma(t * t, Vec::fma(t, rest, Vec::all(-0.5f)), t));
    const Vec far = Vec::fma(v, log_q, model - v);
    return Vec::where_positive(e * e, far, near_fit);
}

template <int G>
inline void add_divergence(const Quad& quad, const Vec (&v)[4][G], const Vec (&model)[4][G], Vec& total) {
    TERZETTO_UNROLL
    for (int f = 0; f < 4; ++f) {
        if (static_cast<std::uint32_t>(f) >= quad.live) break;
        TERZETTO_UNROLL
        for (int g = 0; g < G; ++g) total = total + divergence(v[f][g], model[f][g]);
    }
}

template <int G>
inline void make_ratio(Vec (&v)[4][G], const Vec (&model)[4][G], Vec eps) {
    TERZETTO_UNROLL
    for (int f = 0; f < 4; ++f) {
        TERZETTO_UNROLL
        for (int g = 0; g < G; ++g) v[f][g] = ratio(v[f][g], model[f][g] + eps);
    }
}

struct RatioTarget {
    float* row[4];
};

template <int G, bool WithLoss>
inline void ratio_store(const Quad& quad, const float* const* w, const float* const* frame, std::size_t at,
                        const RatioTarget& target, std::size_t to, Vec eps, Vec& total) {
    Vec model[4][G];
    Vec v[4][G];
    reconstruct<G>(quad, w, at, model);
    load_group<G>(frame, at, v);
    if (WithLoss) add_divergence<G>(quad, v, model, total);
    make_ratio<G>(v, model, eps);
    TERZETTO_UNROLL
    for (int f = 0; f < 4; ++f) {
        TERZETTO_UNROLL
        for (int g = 0; g < G; ++g) v[f][g].store(target.row[f] + to + g * W);
    }
}

template <bool WithLoss>
void ratio_project_as(const Quad* quads, std::size_t n, Span span, float eps_value, float* scratch, double* loss) {
    const std::size_t columns = block_columns(most_rows(quads, n));
    const Vec eps = Vec::all(eps_value);
    RatioTarget target;
    for (std::size_t f = 0; f < 4; ++f) target.row[f] = scratch + f * columns;
    float* const sums = scratch + 4 * columns;
    for (std::size_t q = 0; q < n; ++q) {
        const Quad& quad = quads[q];
        for (std::size_t i = 0; i < quad.count * 4 * W; i += W) Vec::all(0.0f).store(sums + i);
        for (std::size_t k = 0; k < span.full; k += columns) {
            const std::size_t here = span.full - k < columns ? span.full - k : columns;
            Vec total = Vec::all(0.0f);
            std::size_t c = 0;
            for (; c + Vec::spread_group * W <= here; c += Vec::spread_group * W)
                ratio_store<Vec::spread_group, WithLoss>(quad, quad.w, quad.frame, k + c, target, c, eps, total);
            for (; c < here; c += W) ratio_store<1, WithLoss>(quad, quad.w, quad.frame, k + c, target, c, eps, total);
            dot_quad(quad, k, {quad.w, target.row, here, sums});
            if (WithLoss) *loss += static_cast<double>(sum(total));
        }
        if (span.tail) {
            Vec total = Vec::all(0.0f);
            ratio_store<1, WithLoss>(quad, quad.w_tail, quad.frame_tail, 0, target, 0, eps, total);
            dot_quad(quad, 0, {quad.w_tail, target.row, W, sums});
            if (WithLoss) *loss += static_cast<double>(sum(total));
        }
        write_sums(quad, sums);
    }
}

void ratio_project(const Quad* quads, std::size_t n, Span span, float eps, float* scratch, double* loss) {
    if (loss)
        ratio_project_as<true>(quads, n, span, eps, scratch, loss);
    else
        ratio_project_as<false>(quads, n, span, eps, scratch, loss);
}

template <int G>
inline void ratio_spread_group(const Quad& quad, const float* const* w, const float* const* frame, float* const* into,
                               std::size_t at, Vec eps) {
    Vec model[4][G];
    Vec v[4][G];
    reconstruct<G>(quad, w, at, model);
    load_group<G>(frame, at, v);
    make_ratio<G>(v, model, eps);
    spread_group<G>(quad, into, at, v);
}

void ratio_spread(const Quad* quads, std::size_t n, Span span, float eps_value) {
    const std::size_t columns = block_columns(2 * most_rows(quads, n));
    const Vec eps = Vec::all(eps_value);
    constexpr std::size_t group = Vec::spread_group * W;
    const std::size_t lines = n ? share(quads->ahead, n * (span.full / group)) : 0;
    for (std::size_t k = 0; k < span.full; k += columns) {
        const std::size_t end = span.full - k < columns ? span.full : k + columns;
        for (std::size_t q = 0; q < n; ++q) {
            const Quad& quad = quads[q];
            std::size_t c = k;
            for (; c + group <= end; c += group) {
                pull(quad.ahead, lines);
                ratio_spread_group<Vec::spread_group>(quad, quad.w, quad.frame, quad.into, c, eps);
            }
            for (; c < end; c += W) ratio_spread_group<1>(quad, quad.w, quad.frame, quad.into, c, eps);
        }
    }
    if (!span.tail) return;
    for (std::size_t q = 0; q < n; ++q)
        ratio_spread_group<1>(quads[q], quads[q].w_tail, quads[q].frame_tail, quads[q].into_tail, 0, eps);
}

// ---- the loss from the reconstruction ------------------------------------------------------------------

template <bool Euclidean>
inline void add_loss(const Quad& quad, const float* const* w, const float* const* frame, std::size_t at, Vec& total) {
    Vec model[4][1];
    Vec v[4][1];
    reconstruct<1>(quad, w, at, model);
    load_group<1>(frame, at, v);
    if (!Euclidean) {
        add_divergence<1>(quad, v, model, total);
        return;
    }
    for (std::uint32_t f = 0; f < quad.live; ++f) {
        const Vec residual = v[f][0] - model[f][0];
        total = Vec::fma(residual, residual, total);
    }
}

template <bool Euclidean>
double loss_as(const Quad* quads, std::size_t n, Span span) {
    double all = 0.0;
    for (std::size_t q = 0; q < n; ++q) {
        const Quad& quad = quads[q];
        // Short float sums, a long double one.
        for (std::size_t k = 0; k < span.full; k += 16 * W) {
            Vec total = Vec::all(0.0f);
            const std::size_t end = span.full - k < 16 * W ? span.full : k + 16 * W;
            for (std::size_t c = k; c < end; c += W) add_loss<Euclidean>(quad, quad.w, quad.frame, c, total);
            all += static_cast<double>(sum(total));
        }
        if (!span.tail) continue;
        Vec total = Vec::all(0.0f);
        add_loss<Euclidean>(quad, quad.w_tail, quad.frame_tail, 0, total);
        all += static_cast<double>(sum(total));
    }
    return all;
}

double loss(const Quad* quads, std::size_t n, Span span, Loss kind) {
    return kind == Loss::euclidean ? loss_as<true>(quads, n, span) : loss_as<false>(quads, n, span);
}

double square_sum(const float* v, std::size_t count) {
    double all = 0.0;
    std::size_t i = 0;
    for (; i + 16 * W <= count; i += 16 * W) {
        Vec a = Vec::all(0.0f), b = a;
        for (std::size_t k = 0; k < 16 * W; k += 2 * W) {
            const Vec x = Vec::load_any(v + i + k), y = Vec::load_any(v + i + k + W);
            a = Vec::fma(x, x, a);
            b = Vec::fma(y, y, b);
        }
        all += static_cast<double>(sum(a + b));
    }
    for (; i < count; ++i) all += static_cast<double>(v[i]) * v[i];
    return all;
}

} // namespace TERZETTO_LEVEL
} // namespace terzetto
