// SPDX-License-Identifier: GPL-3.0-or-later
#include "strip_work.hpp"

#include <algorithm>
#include <cstring>

namespace terzetto {

namespace {
constexpr std::size_t kMostSets = 2;
} // namespace

StripWork::StripWork(const Plan& plan, const Signal& signal, const InnerLoops& loops)
    : scratch(4 * 512 + (plan.most_quad_rows + 4) * kQuadFrames * kMaxWidth),
      block_a((plan.most_rows + 1) * kStripFrames), block_b((plan.most_rows + 1) * kStripFrames), plan_(plan),
      signal_(signal), loops_(loops), span_(signal.span(loops)), quads_(kStripQuads), tails_(kStripFrames * kMaxWidth),
      w_(plan.most_quad_rows), w_tail_(plan.most_quad_rows), h_(plan.most_quad_rows), out_(plan.most_quad_rows),
      into_(kMostSets * plan.most_quad_rows), into_tail_(kMostSets * plan.most_quad_rows),
      factor_(kMostSets * plan.most_quad_rows), gram_(plan.most_rows * plan.most_rows),
      outer_(plan.most_rows * rounded_up(plan.most_rows, kMaxWidth)),
      transposed_(kStripFrames * rounded_up(plan.most_rows, kMaxWidth)) {}

void StripWork::point_frames(Quad& quad, std::size_t q) {
    const std::size_t first = q * kQuadFrames;
    quad.live = static_cast<std::uint32_t>(std::min<std::size_t>(kQuadFrames, strip_->frames - first));
    for (std::size_t f = 0; f < kQuadFrames; ++f) {
        // Frames past the end repeat the last one: readable, and without activations of no effect.
        const std::size_t in_strip = std::min<std::size_t>(first + f, strip_->frames - 1);
        const float* frame = signal_.v + (strip_->first_frame + in_strip) * signal_.bins;
        float* tail = tails_.data() + (first + f) * kMaxWidth;
        if (span_.tail) std::memcpy(tail, frame + span_.full, (signal_.bins - span_.full) * sizeof(float));
        quad.frame[f] = frame;
        quad.frame_tail[f] = tail;
    }
}

void StripWork::aim(const Strip& strip, const Strip* next) {
    strip_ = &strip;
    ahead_ = {};
    if (next && next->count) {
        ahead_.at = signal_.v + next->first_frame * signal_.bins;
        ahead_.end = ahead_.at + next->frames * signal_.bins;
    }
    quad_count_ = 0;
    const std::size_t base = strip.quad_at[0];
    for (std::size_t q = 0; q < kStripQuads; ++q) {
        const std::size_t count = strip.quad_at[q + 1] - strip.quad_at[q];
        if (!count) continue;
        Quad& quad = quads_[quad_count_++];
        quad = Quad{};
        point_frames(quad, q);
        const std::size_t at = strip.quad_at[q] - base;
        quad.count = static_cast<std::uint32_t>(count);
        quad.early = strip.early[q];
        quad.late = strip.late[q];
        quad.ahead = &ahead_;
        quad.w = w_.data() + at;
        quad.w_tail = w_tail_.data() + at;
        quad.h = h_.data() + at;
        quad.out = out_.data() + at;
    }
    clear_terms();
}

void StripWork::aim_idle(const Strip& strip) {
    strip_ = &strip;
    quad_count_ = 0;
    for (std::size_t q = 0; q < kStripQuads && q * kQuadFrames < strip.frames; ++q) {
        if (strip.quad_at[q + 1] != strip.quad_at[q]) continue;
        Quad& quad = quads_[quad_count_++];
        quad = Quad{};
        point_frames(quad, q);
    }
}

void StripWork::bind(std::vector<const float*>& list, const float* block) {
    std::size_t at = 0;
    for (std::size_t q = 0; q < kStripQuads; ++q)
        for (std::size_t i = strip_->quad_at[q]; i < strip_->quad_at[q + 1]; ++i)
            list[at++] = block + plan_.quad_rows[i] * kStripFrames + q * kQuadFrames;
}

void StripWork::bind_result(float* block) {
    // Entries of the block outside the quads' lists are never written: they belong to zero activations.
    std::memset(block, 0, strip_->count * kStripFrames * sizeof(float));
    std::size_t at = 0;
    for (std::size_t q = 0; q < kStripQuads; ++q)
        for (std::size_t i = strip_->quad_at[q]; i < strip_->quad_at[q + 1]; ++i)
            out_[at++] = block + plan_.quad_rows[i] * kStripFrames + q * kQuadFrames;
}

void StripWork::bind_templates(const RowsView& w) {
    std::size_t at = 0;
    for (std::size_t i = strip_->quad_at[0]; i < strip_->quad_at[kStripQuads]; ++i, ++at) {
        const std::uint32_t r = row(plan_.quad_rows[i]);
        w_[at] = w.row(r);
        w_tail_[at] = w.tail(r);
    }
}

void StripWork::clear_terms() {
    sets_ = 0;
    for (Quad& quad : quads_) quad.sets = 0;
}

void StripWork::add_terms(const Part& part, PartSums& sums, std::size_t set, const float* factor_block) {
    std::size_t quad = 0;
    for (std::size_t q = 0; q < kStripQuads; ++q) {
        const std::size_t begin = strip_->quad_at[q], end = strip_->quad_at[q + 1];
        if (begin == end) continue;
        Quad& to = quads_[quad++];
        const std::size_t at = kMostSets * (begin - strip_->quad_at[0]) + sets_ * (end - begin);
        if (sets_ == 0) {
            to.into = into_.data() + at;
            to.into_tail = into_tail_.data() + at;
            to.factor = factor_.data() + at;
        }
        for (std::size_t i = begin; i < end; ++i) {
            const std::uint32_t u = plan_.quad_rows[i];
            float* numerator = sums.numerator(part, set, row(u));
            into_[at + i - begin] = numerator;
            into_tail_[at + i - begin] = numerator + span_.full;
            factor_[at + i - begin] = factor_block + u * kStripFrames + q * kQuadFrames;
        }
        ++to.sets;
    }
    ++sets_;
}

void StripWork::gather_gram(const std::vector<float>& gram) {
    const std::size_t n = strip_->count;
    const std::uint32_t* rows = plan_.rows.data() + strip_->rows_at;
    for (std::size_t i = 0; i < n; ++i) {
        const float* from = gram.data() + rows[i] * plan_.templates;
        float* to = gram_.data() + i * n;
        for (std::size_t j = 0; j < n; ++j) to[j] = from[rows[j]];
    }
}

void StripWork::add_outer(const Part& part, PartSums& sums, const float* h_block) {
    const std::size_t n = strip_->count;
    const std::size_t stride = rounded_up(n, kMaxWidth);
    loops_.outer(outer_.data(), stride, h_block, n, transposed_.data());
    const std::size_t size = part.rows.size();
    const std::uint32_t* rows = plan_.rows.data() + strip_->rows_at;
    for (std::size_t i = 0; i < n; ++i) {
        float* to = sums.gram.data() + part.place[rows[i]] * size;
        const float* from = outer_.data() + i * stride;
        for (std::size_t j = i; j < n; ++j) to[part.place[rows[j]]] += from[j];
    }
}

} // namespace terzetto
