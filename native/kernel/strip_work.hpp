// SPDX-License-Identifier: GPL-3.0-or-later
// One worker's view of one strip: the pointers that the inner loops follow, and scratch.
#pragma once

#include "inner_loops.hpp"
#include "plan.hpp"
#include "templates.hpp"

#include <vector>

namespace terzetto {

struct Signal {
    const float* v; // frames x bins
    std::size_t frames, bins;
    Span span(const InnerLoops& loops) const { return {bins - bins % loops.width, bins % loops.width != 0}; }
};

class StripWork {
public:
    StripWork(const Plan& plan, const Signal& signal, const InnerLoops& loops);

    // Points at a strip's active quads; `next`, if any, comes after it.
    void aim(const Strip& strip, const Strip* next);
    // The strip's idle quads (no active template) instead.
    void aim_idle(const Strip& strip);

    void bind_templates(const RowsView& w);
    void bind_activations(const float* block) { bind(h_, block); }
    void bind_result(float* block);
    // Accumulate factor * frames into the part's numerators; several sets one after another.
    void clear_terms();
    void add_terms(const Part& part, PartSums& sums, std::size_t set, const float* factor_block);
    // Only the strip's templates out of an R x R matrix.
    void gather_gram(const std::vector<float>& gram);

    const Quad* quads() const { return quads_.data(); }
    std::size_t quad_count() const { return quad_count_; }
    const Strip& strip() const { return *strip_; }
    std::uint32_t row(std::size_t i) const { return plan_.rows[strip_->rows_at + i]; }
    const float* gram() const { return gram_.data(); }
    // H H^T of the strip into the part's.
    void add_outer(const Part& part, PartSums& sums, const float* h_block);

    AlignedFloats scratch;          // the inner loops' own
    AlignedFloats block_a, block_b; // most_rows x 16 each

private:
    void bind(std::vector<const float*>& list, const float* block);
    void point_frames(Quad& quad, std::size_t q);

    const Plan& plan_;
    const Signal& signal_;
    const InnerLoops& loops_;
    Span span_;
    const Strip* strip_ = nullptr;
    std::vector<Quad> quads_;
    std::size_t quad_count_ = 0;
    Ahead ahead_{};
    AlignedFloats tails_; // the strip's frames' ends, padded
    std::vector<const float*> w_, w_tail_, h_;
    std::vector<float*> out_;
    std::size_t sets_ = 0;
    std::vector<float*> into_, into_tail_;
    std::vector<const float*> factor_;
    AlignedFloats gram_, outer_, transposed_;
};

} // namespace terzetto
