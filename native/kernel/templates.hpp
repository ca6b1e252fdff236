// SPDX-License-Identifier: GPL-3.0-or-later
// Matrices with a row per template: W, its numerators, its Gram matrix and its update.
#pragma once

#include "crew.hpp"
#include "plan.hpp"
#include "storage.hpp"

#include <vector>

namespace terzetto {

// Floats from one row to the next for rows padded to whole vectors of any width, apart by an odd number of cache lines:
// rows at the same column must not all fall into the same cache sets, as rows of 2^n + 1 floats do.
std::size_t row_stride(std::size_t columns);

class TemplateRows {
public:
    TemplateRows() = default;
    TemplateRows(std::size_t rows, std::size_t columns);
    static TemplateRows copied(const float* matrix, std::size_t rows, std::size_t columns);

    float* row(std::size_t r) { return floats_.data() + r * stride_; }
    const float* row(std::size_t r) const { return floats_.data() + r * stride_; }
    std::size_t rows() const { return rows_; }
    std::size_t columns() const { return columns_; }
    std::size_t padded() const { return rounded_up(columns_, kMaxWidth); }

    // Moves the rows together, without padding, and gives the storage away: the caller's result, at no extra memory.
    AlignedFloats compacted() &&;

private:
    std::size_t rows_ = 0, columns_ = 0, stride_ = 0;
    AlignedFloats floats_;
};

// The same interface over rows as the caller gave them, for calls too short to be worth a copy: only the partial
// vectors at the rows' ends are copied, to be padded.
class RowsView {
public:
    RowsView(const TemplateRows& rows, Span span);
    RowsView(const float* matrix, std::size_t rows, std::size_t columns, Span span);
    const float* row(std::size_t r) const { return data_ + r * stride_; }
    const float* tail(std::size_t r) const { return tail_ + r * tail_stride_; }

private:
    const float* data_;
    std::size_t stride_;
    const float* tail_;
    std::size_t tail_stride_;
    AlignedFloats ends_;
};

// A part's accumulators: numerators for the templates active in it, and H H^T or the sums of H among these.
struct PartSums {
    PartSums(const Part& part, std::size_t columns, std::size_t numerator_sets, bool gram, bool sums);
    float* numerator(const Part& part, std::size_t set, std::size_t r) { return numerators[set].row(part.place[r]); }
    std::vector<TemplateRows> numerators;
    std::vector<float> gram;        // n x n, upper triangle
    std::vector<double> activation; // sum over frames of H, per row
};

// Row pointers as the inner loops want them: [part][active template], null where a part has none.
class SumTable {
public:
    SumTable(const Plan& plan, std::vector<PartSums>& parts, std::size_t set);
    // One set of sums after another.
    explicit SumTable(const Plan& plan) : plan_(&plan) {}
    void add(const Part& part, PartSums& sums, std::size_t set);
    float* const* const* get() const { return by_part_.data(); }
    std::size_t parts() const { return by_part_.size(); }

private:
    const Plan* plan_;
    std::vector<std::vector<float*>> rows_;
    std::vector<float* const*> by_part_;
};

// Pairs of templates that are ever active in one half of a quad; only these enter W W^T and H H^T W.
class Coactivity {
public:
    explicit Coactivity(const Plan& plan);

    // gram[r, s] = <W_r, W_s> on those pairs; R x R.
    void gram(const InnerLoops& loops, Crew& crew, const RowsView& w, Span span, std::vector<float>& gram) const;

    // H H^T summed over parts, in their order.
    void sum_activation_gram(const Plan& plan, std::vector<PartSums>& parts, std::vector<double>& hht) const;

    // Lists for InnerLoops::refine_euclidean.
    std::vector<std::uint32_t> pair_start, partner;
    void fill_weights(const std::vector<double>& hht, std::vector<float>& weight) const;

private:
    struct Group {
        std::size_t first;               // up to four active templates
        std::vector<std::uint32_t> with; // active with any of them, from the first on
    };
    void gram_group(const InnerLoops& loops, const Group& group, const RowList& rows, Span span,
                    std::vector<float>& gram) const;
    const std::vector<std::uint32_t>& active_;
    std::size_t templates_;
    std::vector<Group> groups_;
};

// Calls refine(block, scratch worker) over blocks of columns; returns the sum of its results in column order.
double refine_columns(Crew& crew, const Plan& plan, TemplateRows& w, const SumTable& sums, float eps,
                      std::vector<AlignedFloats>& scratch, const std::function<double(const TemplateBlock&)>& refine);

// With eps > 0 the papers' update turns a template without activations to zero: 0 / (0 + eps).
void clear_inactive(const Plan& plan, TemplateRows& w);

} // namespace terzetto
