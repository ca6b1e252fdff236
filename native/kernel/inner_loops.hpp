// SPDX-License-Identifier: GPL-3.0-or-later
// The inner loops, one set per instruction level, behind a table of plain function pointers.
//
// Names follow the papers: V is K x N (kept frame-major: one row of K floats per frame), W is K x R (kept one
// row per template), H is R x N. "Strip": 16 consecutive frames, whose activations are kept as a dense block of
// M x 16, M being the number of templates active anywhere in it. "Quad": 4 of these frames and the templates
// active in them, the unit that the big loops work on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace terzetto {

constexpr std::size_t kQuadFrames = 4;
constexpr std::size_t kStripQuads = 4;
constexpr std::size_t kStripFrames = kQuadFrames * kStripQuads;
constexpr std::size_t kMaxWidth = 16; // floats in the widest vector; rows are padded to a multiple of it
constexpr std::size_t kAlignment = 64;

enum class Loss { euclidean, kl };

// Floor of the reconstruction in the logarithm of the KL loss, so that an entry nobody models costs a large
// constant instead of infinity.
constexpr float kLogFloor = 1e-35f;

// Rows end in a partial vector. Its floats, padded with zeros, are read through the `tail` pointers; `full`
// below is the number of floats before it.

// What will be read next, from memory: fetched line by line while there is something to compute.
struct Ahead {
    const float* at;
    const float* end;
};

// A quad's rows are in three runs: active in its first two frames only (`early`), in both halves, in the last two
// only (`late`). Notes begin and end everywhere: halves save a seventh of the work.
struct Quad {
    const float* frame[kQuadFrames];      // rows of V
    const float* frame_tail[kQuadFrames]; //
    std::uint32_t live;                   // frames that exist; the others repeat a valid one with zero activations
    std::uint32_t count;                  // active templates
    std::uint32_t early, late;            // of these
    const float* const* w;                // their rows of W
    const float* const* w_tail;           //
    const float* const* h;                // their activations in these 4 frames
    float* const* out;                    // 4 floats each: result of project
    std::uint32_t sets;                   // times `count` rows to accumulate into
    float* const* into;                   //
    float* const* into_tail;              //
    const float* const* factor;           // 4 floats each
    Ahead* ahead;                         // shared by the quads of a strip
};

struct Span {
    std::size_t full; // floats in whole vectors
    bool tail;        // a partial vector follows
};

struct RowList {
    const float* const* row;
    const float* const* tail;
};

// What the update of the templates works on: a block of columns, over all templates.
struct TemplateBlock {
    float* const* w;           // rows of W, `count` of them
    std::size_t count;         //
    std::size_t begin, end;    // columns, multiples of the vector width
    float* const* const* sums; // [part][template] rows of the partial numerators V H^T, or null; zeroed here
    std::size_t parts;         //
    float eps;                 //
    float* before;             // scratch: count x (end - begin)
};

struct InnerLoops {
    const char* name;
    std::size_t width;

    // out[i][f] = sum_k w[i][k] frame[f][k]                                                        W^T V
    void (*project)(const Quad* quads, std::size_t n, Span span);

    // into[i][k] += sum_f factor[i][f] frame[f][k]                                                 V H^T
    void (*spread)(const Quad* quads, std::size_t n, Span span);

    // out[i][f] = sum_k w[i][k] Q[f][k], Q = V / (W H + eps)                                       W^T (V / WH)
    // loss, if not null, grows by the KL divergence of V from W H.
    void (*ratio_project)(const Quad* quads, std::size_t n, Span span, float eps, float* scratch, double* loss);

    // into[i][k] += sum_f factor[i][f] Q[f][k], same Q; one set                                    (V / WH) H^T
    void (*ratio_spread)(const Quad* quads, std::size_t n, Span span, float eps);

    // The loss itself, from the reconstruction.
    double (*loss)(const Quad* quads, std::size_t n, Span span, Loss kind);

    double (*square_sum)(const float* v, std::size_t count);

    // Dense blocks of count x 16 (strip of activations).
    // den = gram h, h *= numerator / (den + eps)
    void (*step_euclidean)(float* h, const float* numerator, const float* gram, std::size_t count, float eps,
                           float* den);
    // h[i] *= numerator[i] / (row_sum[i] + eps)
    void (*step_kl)(float* h, const float* numerator, const float* row_sum, std::size_t count, float eps);
    // out = gram h
    void (*gram_times)(float* out, const float* h, const float* gram, std::size_t count);
    // out[i][j] = sum_f h[i][f] h[j][f], `stride` floats a row (padded to a multiple of kMaxWidth)
    void (*outer)(float* out, std::size_t stride, const float* h, std::size_t count, float* transposed);
    // sum of a[i] * b[i]
    double (*inner)(const float* a, const float* b, std::size_t count);

    // W *= numerator / (W (H H^T) + eps); `pair_*` list, for two templates at a time, the templates that are
    // active together with either and the two columns of H H^T. Returns <new W, numerator>.
    double (*refine_euclidean)(const TemplateBlock& block, const std::uint32_t* pair_start,
                               const std::uint32_t* partner, const float* weight);
    // W *= numerator / (row_weight + eps)
    void (*refine_kl)(const TemplateBlock& block, const float* row_weight);
    // W *= numerator / (denominator + eps), both summed over parts (the encoder's step); the denominator is
    // row_weight * base where `denominators` is null (KL).
    void (*refine_encoder)(const TemplateBlock& block, float* const* const* denominators, const float* const* base,
                           const float* row_weight);
    // out[i][f] = sum_k a[i][k] b[f][k] for `count` rows a and up to 4 rows b.
    void (*gram_rows)(const RowList& a, std::size_t count, const RowList& b, std::size_t b_count, Span span,
                      float* const* out);
    float (*row_sum)(const float* row, const float* tail, Span span);

    // Steps of weights *= (D^T target) / (D^T D weights) for D, rows x columns, padded with zeros to multiples of 4
    // and of the vector width. `scratch`: two rows.
    void (*fit_row)(float* weights, const float* data, const float* target, std::size_t rows, std::size_t columns,
                    int iterations, float* scratch);
};

const InnerLoops& inner_loops_plain();
const InnerLoops& inner_loops_sse2();
const InnerLoops& inner_loops_avx2();
const InnerLoops& inner_loops_avx512();
const InnerLoops& inner_loops_neon();

} // namespace terzetto
