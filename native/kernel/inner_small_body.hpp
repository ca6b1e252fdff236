// SPDX-License-Identifier: GPL-3.0-or-later
// The small inner loops: activations of a strip, and the templates' own update. Includes the
// large ones.
#pragma once

#include "inner_ratio_body.hpp"

namespace terzetto {
namespace TERZETTO_LEVEL {

constexpr std::size_t kStripVectors = kStripFrames / W;

// A zero denominator belongs to an entry that does not reach the reconstruction (its template, or its
// activations, are all zero): it stays as it is, so the loss cannot change.
inline Vec stepped(Vec x, Vec numerator, Vec denominator) {
    const Vec factor = Vec::min(Vec::quotient(numerator, denominator), Vec::all(kMostRatio));
    return Vec::where_positive(denominator, x * factor, x);
}

void gram_times(float* out, const float* h, const float* gram, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        Vec a[kStripVectors];
        TERZETTO_UNROLL
        for (std::size_t s = 0; s < kStripVectors; ++s) a[s] = Vec::all(0.0f);
        for (std::size_t j = 0; j < count; ++j) {
            const Vec g = Vec::all(gram[i * count + j]);
            TERZETTO_UNROLL
            for (std::size_t s = 0; s < kStripVectors; ++s)
                a[s] = Vec::fma(g, Vec::load(h + j * kStripFrames + s * W), a[s]);
        }
        TERZETTO_UNROLL
        for (std::size_t s = 0; s < kStripVectors; ++s) a[s].store(out + i * kStripFrames + s * W);
    }
}

void step_euclidean(float* h, const float* numerator, const float* gram, std::size_t count, float eps, float* den) {
    gram_times(den, h, gram, count);
    const Vec e = Vec::all(eps);
    for (std::size_t i = 0; i < count * kStripFrames; i += W)
        stepped(Vec::load(h + i), Vec::load(numerator + i), Vec::load(den + i) + e).store(h + i);
}

void step_kl(float* h, const float* numerator, const float* row_sum, std::size_t count, float eps) {
    for (std::size_t i = 0; i < count; ++i) {
        const Vec den = Vec::all(row_sum[i] + eps);
        for (std::size_t k = i * kStripFrames; k < (i + 1) * kStripFrames; k += W)
            stepped(Vec::load(h + k), Vec::load(numerator + k), den).store(h + k);
    }
}

void outer(float* out, std::size_t stride, const float* h, std::size_t count, float* transposed) {
    // What is left of earlier calls beyond `count` reaches only the padding of `out`.
    for (std::size_t i = 0; i < count; ++i) {
        TERZETTO_UNROLL
        for (std::size_t f = 0; f < kStripFrames; ++f) transposed[f * stride + i] = h[i * kStripFrames + f];
    }
    // Only columns from the diagonal's vector on: the rest is the mirror image.
    for (std::size_t j = 0; j < stride; j += W) {
        Vec t[kStripFrames];
        TERZETTO_UNROLL
        for (std::size_t f = 0; f < kStripFrames; ++f) t[f] = Vec::load(transposed + f * stride + j);
        for (std::size_t i = 0; i < count && i < j + W; ++i) {
            Vec a = Vec::all(0.0f), b = a;
            TERZETTO_UNROLL
            for (std::size_t f = 0; f < kStripFrames; f += 2) {
                a = Vec::fma(Vec::all(h[i * kStripFrames + f]), t[f], a);
                b = Vec::fma(Vec::all(h[i * kStripFrames + f + 1]), t[f + 1], b);
            }
            (a + b).store(out + i * stride + j);
        }
    }
}

double inner(const float* a, const float* b, std::size_t count) {
    double all = 0.0;
    for (std::size_t i = 0; i < count; i += kStripFrames) {
        Vec s = Vec::all(0.0f);
        TERZETTO_UNROLL
        for (std::size_t k = 0; k < kStripFrames; k += W) s = Vec::fma(Vec::load(a + i + k), Vec::load(b + i + k), s);
        all += static_cast<double>(sum(s));
    }
    return all;
}

// ---- templates -----------------------------------------------------------------------------------------

// The sum of the parts' numerators, in the parts' order; leaves zeros for the next pass.
inline Vec take(float* const* const* sums, std::size_t parts, std::size_t row, std::size_t k) {
    Vec s = Vec::all(0.0f);
    for (std::size_t p = 0; p < parts; ++p) {
        float* from = sums[p][row];
        if (!from) continue;
        s = s + Vec::load(from + k);
        Vec::all(0.0f).store(from + k);
    }
    return s;
}

template <int G>
inline double refine_pair(const TemplateBlock& block, std::size_t row, std::size_t column, std::size_t stride,
                          const std::uint32_t* partner, const float* weight, std::size_t partners) {
    const bool both = row + 1 < block.count;
    // The numerators lie where no prefetching of the processor's looks for them.
    for (std::size_t p = 0; p < block.parts; ++p) {
        for (std::size_t r = row; r < row + (both ? 2 : 1); ++r) {
            const float* next = block.sums[p][r];
            if (!next) continue;
            TERZETTO_UNROLL
            for (int g = 0; g < G; ++g) prefetch(next + column + g * W);
        }
    }
    Vec den[2][G];
    TERZETTO_UNROLL
    for (int g = 0; g < G; ++g) den[0][g] = den[1][g] = Vec::all(0.0f);
    for (std::size_t j = 0; j < partners; ++j) {
        const float* w = block.before + partner[j] * stride + (column - block.begin);
        const Vec a = Vec::all(weight[2 * j]), b = Vec::all(weight[2 * j + 1]);
        TERZETTO_UNROLL
        for (int g = 0; g < G; ++g) {
            const Vec x = Vec::load(w + g * W);
            den[0][g] = Vec::fma(a, x, den[0][g]);
            den[1][g] = Vec::fma(b, x, den[1][g]);
        }
    }
    Vec fit = Vec::all(0.0f);
    const Vec eps = Vec::all(block.eps);
    for (int r = 0; r < (both ? 2 : 1); ++r) {
        float* w = block.w[row + r] + column;
        TERZETTO_UNROLL
        for (int g = 0; g < G; ++g) {
            const Vec numerator = take(block.sums, block.parts, row + r, column + g * W);
            const Vec x = stepped(Vec::load(w + g * W), numerator, den[r][g] + eps);
            x.store(w + g * W);
            fit = Vec::fma(x, numerator, fit);
        }
    }
    return static_cast<double>(sum(fit));
}

double refine_euclidean(const TemplateBlock& block, const std::uint32_t* pair_start, const std::uint32_t* partner,
                        const float* weight) {
    const std::size_t stride = block.end - block.begin;
    for (std::size_t r = 0; r < block.count; ++r)
        for (std::size_t k = 0; k < stride; k += W)
            Vec::load(block.w[r] + block.begin + k).store(block.before + r * stride + k);
    double fit = 0.0;
    for (std::size_t pair = 0; 2 * pair < block.count; ++pair) {
        const std::uint32_t from = pair_start[pair], to = pair_start[pair + 1];
        std::size_t k = block.begin;
        for (; k + 4 * W <= block.end; k += 4 * W)
            fit += refine_pair<4>(block, 2 * pair, k, stride, partner + from, weight + 2 * from, to - from);
        for (; k < block.end; k += W)
            fit += refine_pair<1>(block, 2 * pair, k, stride, partner + from, weight + 2 * from, to - from);
    }
    return fit;
}

void refine_kl(const TemplateBlock& block, const float* row_weight) {
    for (std::size_t r = 0; r < block.count; ++r) {
        const Vec den = Vec::all(row_weight[r] + block.eps);
        for (std::size_t k = block.begin; k < block.end; k += W)
            stepped(Vec::load(block.w[r] + k), take(block.sums, block.parts, r, k), den).store(block.w[r] + k);
    }
}

void refine_encoder(const TemplateBlock& block, float* const* const* denominators, const float* const* base,
                    const float* row_weight) {
    const Vec eps = Vec::all(block.eps);
    for (std::size_t r = 0; r < block.count; ++r) {
        for (std::size_t k = block.begin; k < block.end; k += W) {
            const Vec den =
                denominators ? take(denominators, block.parts, r, k) : Vec::all(row_weight[r]) * Vec::load(base[r] + k);
            stepped(Vec::load(block.w[r] + k), take(block.sums, block.parts, r, k), den + eps).store(block.w[r] + k);
        }
    }
}

void gram_rows(const RowList& a, std::size_t count, const RowList& b, std::size_t b_count, Span span,
               float* const* out) {
    const float* four[4];
    const float* four_tail[4];
    for (std::size_t f = 0; f < 4; ++f) {
        four[f] = b.row[f < b_count ? f : 0];
        four_tail[f] = b.tail[f < b_count ? f : 0];
    }
    for (std::size_t row = 0; row < count;) {
        const std::size_t rows = count - row < kMostRows ? count - row : kMostRows;
        dot_block_any<kMostRows, 4>(rows, 0, {a.row + row, a.tail + row, four, four_tail, out + row, 0, span});
        row += rows;
    }
}

float row_sum(const float* row, const float* tail, Span span) {
    double all = span.tail ? static_cast<double>(sum(Vec::load_any(tail))) : 0.0;
    for (std::size_t k = 0; k < span.full; k += W) all += static_cast<double>(sum(Vec::load_any(row + k)));
    return static_cast<float>(all);
}

} // namespace TERZETTO_LEVEL
} // namespace terzetto
