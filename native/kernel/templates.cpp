// SPDX-License-Identifier: GPL-3.0-or-later
#include "templates.hpp"

#include <algorithm>
#include <cstring>

namespace terzetto {

std::size_t row_stride(std::size_t columns) {
    const std::size_t line = kAlignment / sizeof(float);
    std::size_t lines = rounded_up(columns, line) / line;
    // Three (of eight) lines apart, the ten rows or so that are in use together cover the cache's sets evenly.
    if (lines >= 32)
        while (lines % 8 != 3) ++lines;
    return lines * line;
}

namespace {

constexpr std::size_t kRefineColumns = 64;

} // namespace

TemplateRows::TemplateRows(std::size_t rows, std::size_t columns)
    : rows_(rows), columns_(columns), stride_(row_stride(columns)), floats_(rows * stride_) {}

TemplateRows TemplateRows::copied(const float* matrix, std::size_t rows, std::size_t columns) {
    TemplateRows copy(rows, columns);
    for (std::size_t r = 0; r < rows; ++r) std::memcpy(copy.row(r), matrix + r * columns, columns * sizeof(float));
    return copy;
}

AlignedFloats TemplateRows::compacted() && {
    for (std::size_t r = 1; r < rows_; ++r)
        std::memmove(floats_.data() + r * columns_, row(r), columns_ * sizeof(float));
    return std::move(floats_);
}

RowsView::RowsView(const TemplateRows& rows, Span span)
    : data_(rows.row(0)), stride_(rows.rows() > 1 ? static_cast<std::size_t>(rows.row(1) - rows.row(0)) : 0),
      tail_(data_ + (rows.rows() ? span.full : 0)), tail_stride_(stride_) {}

RowsView::RowsView(const float* matrix, std::size_t rows, std::size_t columns, Span span)
    : data_(matrix), stride_(columns), tail_(nullptr), tail_stride_(kMaxWidth),
      ends_(span.tail ? rows * kMaxWidth : 0) {
    if (!span.tail) return;
    for (std::size_t r = 0; r < rows; ++r)
        std::memcpy(ends_.data() + r * kMaxWidth, matrix + r * columns + span.full,
                    (columns - span.full) * sizeof(float));
    tail_ = ends_.data();
}

PartSums::PartSums(const Part& part, std::size_t columns, std::size_t numerator_sets, bool with_gram, bool with_sums) {
    for (std::size_t s = 0; s < numerator_sets; ++s) numerators.emplace_back(part.rows.size(), columns);
    if (with_gram) gram.assign(part.rows.size() * part.rows.size(), 0.0f);
    if (with_sums) activation.assign(part.rows.size(), 0.0);
}

SumTable::SumTable(const Plan& plan, std::vector<PartSums>& parts, std::size_t set) : plan_(&plan) {
    for (std::size_t p = 0; p < parts.size(); ++p) add(plan.parts[p], parts[p], set);
}

void SumTable::add(const Part& part, PartSums& sums, std::size_t set) {
    std::vector<char> has(plan_->templates, 0);
    for (const std::uint32_t r : part.rows) has[r] = 1;
    rows_.emplace_back();
    for (const std::uint32_t r : plan_->active) rows_.back().push_back(has[r] ? sums.numerator(part, set, r) : nullptr);
    by_part_.push_back(rows_.back().data());
}

Coactivity::Coactivity(const Plan& plan) : active_(plan.active), templates_(plan.templates) {
    const std::size_t n = active_.size();
    std::vector<std::uint32_t> place(plan.templates, 0);
    for (std::size_t i = 0; i < n; ++i) place[active_[i]] = static_cast<std::uint32_t>(i);
    std::vector<char> together(n * n, 0);
    std::vector<std::uint32_t> now, last;
    for (const Strip& strip : plan.strips) {
        for (std::size_t q = 0; q < kStripQuads; ++q) {
            const std::size_t halves[2][2] = {{strip.quad_at[q], strip.quad_at[q + 1] - strip.late[q]},
                                              {strip.quad_at[q] + strip.early[q], strip.quad_at[q + 1]}};
            for (const auto& half : halves) {
                now.clear();
                for (std::size_t i = half[0]; i < half[1]; ++i)
                    now.push_back(place[plan.rows[strip.rows_at + plan.quad_rows[i]]]);
                if (now == last) continue;
                for (const std::uint32_t a : now)
                    for (const std::uint32_t b : now) together[a * n + b] = 1;
                last = now;
            }
        }
    }
    pair_start.push_back(0);
    for (std::size_t i = 0; i < n; i += 2) {
        for (std::size_t j = 0; j < n; ++j)
            if (together[i * n + j] || (i + 1 < n && together[(i + 1) * n + j]))
                partner.push_back(static_cast<std::uint32_t>(j));
        pair_start.push_back(static_cast<std::uint32_t>(partner.size()));
    }
    for (std::size_t i = 0; i < n; i += 4) {
        Group group{i, {}};
        for (std::size_t j = i; j < n; ++j) {
            bool any = false;
            for (std::size_t k = i; k < std::min(n, i + 4); ++k) any = any || together[k * n + j];
            if (any) group.with.push_back(static_cast<std::uint32_t>(j));
        }
        groups_.push_back(std::move(group));
    }
}

void Coactivity::gram_group(const InnerLoops& loops, const Group& group, const RowList& rows, Span span,
                            std::vector<float>& gram) const {
    const std::size_t height = std::min<std::size_t>(4, active_.size() - group.first);
    std::vector<float> products(group.with.size() * 4);
    std::vector<const float*> with, with_tail;
    std::vector<float*> out;
    for (std::size_t i = 0; i < group.with.size(); ++i) {
        with.push_back(rows.row[group.with[i]]);
        with_tail.push_back(rows.tail[group.with[i]]);
        out.push_back(products.data() + 4 * i);
    }
    loops.gram_rows({with.data(), with_tail.data()}, with.size(), {rows.row + group.first, rows.tail + group.first},
                    height, span, out.data());
    for (std::size_t i = 0; i < with.size(); ++i) {
        const std::size_t s = active_[group.with[i]];
        for (std::size_t k = 0; k < height; ++k) {
            const std::size_t r = active_[group.first + k];
            gram[r * templates_ + s] = gram[s * templates_ + r] = products[4 * i + k];
        }
    }
}

void Coactivity::gram(const InnerLoops& loops, Crew& crew, const RowsView& w, Span span,
                      std::vector<float>& gram) const {
    std::vector<const float*> rows, tails;
    for (const std::uint32_t r : active_) {
        rows.push_back(w.row(r));
        tails.push_back(w.tail(r));
    }
    crew.run(groups_.size(), [&](std::size_t g, std::size_t) {
        gram_group(loops, groups_[g], {rows.data(), tails.data()}, span, gram);
    });
}

void Coactivity::sum_activation_gram(const Plan& plan, std::vector<PartSums>& parts, std::vector<double>& hht) const {
    const std::size_t n = active_.size();
    std::vector<std::uint32_t> place(plan.templates, 0);
    for (std::size_t i = 0; i < n; ++i) place[active_[i]] = static_cast<std::uint32_t>(i);
    std::fill(hht.begin(), hht.end(), 0.0);
    for (std::size_t p = 0; p < parts.size(); ++p) {
        const auto& rows = plan.parts[p].rows;
        for (std::size_t i = 0; i < rows.size(); ++i)
            for (std::size_t j = i; j < rows.size(); ++j)
                hht[place[rows[i]] * n + place[rows[j]]] += static_cast<double>(parts[p].gram[i * rows.size() + j]);
        std::fill(parts[p].gram.begin(), parts[p].gram.end(), 0.0f);
    }
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < i; ++j) hht[i * n + j] = hht[j * n + i];
}

void Coactivity::fill_weights(const std::vector<double>& hht, std::vector<float>& weight) const {
    const std::size_t n = active_.size();
    weight.resize(2 * partner.size());
    for (std::size_t pair = 0; pair + 1 < pair_start.size(); ++pair) {
        for (std::size_t i = pair_start[pair]; i < pair_start[pair + 1]; ++i) {
            weight[2 * i] = static_cast<float>(hht[2 * pair * n + partner[i]]);
            weight[2 * i + 1] = 2 * pair + 1 < n ? static_cast<float>(hht[(2 * pair + 1) * n + partner[i]]) : 0.0f;
        }
    }
}

double refine_columns(Crew& crew, const Plan& plan, TemplateRows& w, const SumTable& sums, float eps,
                      std::vector<AlignedFloats>& scratch, const std::function<double(const TemplateBlock&)>& refine) {
    std::vector<float*> rows;
    for (const std::uint32_t r : plan.active) rows.push_back(w.row(r));
    while (scratch.size() < crew.workers()) scratch.emplace_back(rows.size() * kRefineColumns);
    const std::size_t blocks = (w.padded() + kRefineColumns - 1) / kRefineColumns;
    std::vector<double> results(blocks, 0.0);
    crew.run(blocks, [&](std::size_t b, std::size_t worker) {
        const std::size_t begin = b * kRefineColumns;
        const TemplateBlock block{rows.data(), rows.size(),  begin, std::min(w.padded(), begin + kRefineColumns),
                                  sums.get(),  sums.parts(), eps,   scratch[worker].data()};
        results[b] = refine(block);
    });
    double total = 0.0;
    for (const double r : results) total += r;
    return total;
}

void clear_inactive(const Plan& plan, TemplateRows& w) {
    std::vector<char> keep(w.rows(), 0);
    for (const std::uint32_t r : plan.active) keep[r] = 1;
    for (std::size_t r = 0; r < w.rows(); ++r)
        if (!keep[r]) std::memset(w.row(r), 0, w.columns() * sizeof(float));
}

} // namespace terzetto
