// SPDX-License-Identifier: GPL-3.0-or-later
#include "factorisation.hpp"

#include "denormals.hpp"

#include <algorithm>

namespace terzetto {

namespace {

// What both losses and both modes keep.
struct State {
    State(const Signal& s, std::size_t templates, const float* h_matrix, const Options& o, std::size_t buffers)
        : signal(s), options(o), loops(*o.loops), span(s.span(*o.loops)),
          plan(templates, s.frames, buffers, nonzero_bits(h_matrix, templates, s.frames)), h(plan, h_matrix),
          crew(worker_count(o.threads, plan.parts.size(),
                            8.0 * static_cast<double>(plan.quad_row_count()) * static_cast<double>(s.bins))),
          sweep(plan, signal, loops, crew), exact(plan, signal, options, sweep) {}

    bool go_on(int done) const {
        if (!options.progress || !options.progress_due(done)) return true;
        const FlushDenormals usual(false);
        return options.progress(done, options.iterations);
    }

    const Signal signal;
    const Options& options;
    const InnerLoops& loops;
    const Span span;
    const Plan plan;
    Activations h;
    Crew crew;
    Sweep sweep;
    ExactLoss exact;
    std::vector<double> losses;
};

// <W^T W, H H^T>
double weighted_sum(const Plan& plan, const std::vector<float>& gram, const std::vector<double>& hht) {
    const std::size_t n = plan.active.size();
    double all = 0.0;
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            all += hht[i * n + j] * static_cast<double>(gram[plan.active[i] * plan.templates + plan.active[j]]);
    return all;
}

void euclidean(State& state, TemplateRows& w) {
    const Plan& plan = state.plan;
    const InnerLoops& loops = state.loops;
    const float eps = state.options.eps;
    const RowsView rows(w, state.span);
    const Coactivity pairs(plan);
    std::vector<PartSums> sums;
    for (const Part& part : plan.parts) sums.emplace_back(part, w.columns(), 1, true, false);
    const SumTable table(plan, sums, 0);
    std::vector<float> gram(plan.templates * plan.templates, 0.0f), weight;
    std::vector<double> hht(plan.active.size() * plan.active.size());
    std::vector<AlignedFloats> scratch;

    pairs.gram(loops, state.crew, rows, state.span, gram);
    for (int done = 1; done <= state.options.iterations; ++done) {
        state.sweep.pass([&](StripWork& work, std::size_t strip, std::size_t p) {
            float* h = state.h.block(strip);
            work.bind_templates(rows);
            work.bind_result(work.block_a.data());
            loops.project(work.quads(), work.quad_count(), state.span);
            work.gather_gram(gram);
            loops.step_euclidean(h, work.block_a.data(), work.gram(), work.strip().count, eps, work.block_b.data());
            work.add_outer(plan.parts[p], sums[p], h);
            work.add_terms(plan.parts[p], sums[p], 0, h);
            loops.spread(work.quads(), work.quad_count(), state.span);
        });
        pairs.sum_activation_gram(plan, sums, hht);
        pairs.fill_weights(hht, weight);
        const double fit = refine_columns(state.crew, plan, w, table, eps, scratch, [&](const TemplateBlock& block) {
            return loops.refine_euclidean(block, pairs.pair_start.data(), pairs.partner.data(), weight.data());
        });
        const bool due = state.options.loss_due(done);
        if (due || done < state.options.iterations) pairs.gram(loops, state.crew, rows, state.span, gram);
        if (due) {
            double loss = state.exact.square_norm() - 2.0 * fit + weighted_sum(plan, gram, hht);
            if (state.exact.needed(loss)) loss = state.exact.of(rows, state.h);
            state.losses.push_back(loss);
        }
        if (!state.go_on(done)) return;
    }
}

void kullback_leibler(State& state, TemplateRows& w) {
    const Plan& plan = state.plan;
    const InnerLoops& loops = state.loops;
    const float eps = state.options.eps;
    const RowsView rows(w, state.span);
    std::vector<PartSums> sums;
    for (const Part& part : plan.parts) sums.emplace_back(part, w.columns(), 1, false, true);
    const SumTable table(plan, sums, 0);
    std::vector<float> row_sum(plan.templates, 0.0f), row_weight(plan.active.size());
    std::vector<double> losses(plan.parts.size());
    std::vector<AlignedFloats> scratch;
    bool pending = false; // the loss of the state that the next pass starts from

    const auto flush_loss = [&] {
        if (pending) state.losses.push_back(state.exact.of(rows, state.h));
        pending = false;
    };
    for (int done = 1; done <= state.options.iterations; ++done) {
        for (const std::uint32_t r : plan.active) row_sum[r] = loops.row_sum(rows.row(r), rows.tail(r), state.span);
        std::fill(losses.begin(), losses.end(), 0.0);
        state.sweep.pass([&](StripWork& work, std::size_t strip, std::size_t p) {
            float* h = state.h.block(strip);
            const std::size_t count = work.strip().count;
            work.bind_templates(rows);
            work.bind_activations(h);
            work.bind_result(work.block_a.data());
            loops.ratio_project(work.quads(), work.quad_count(), state.span, eps, work.scratch.data(),
                                pending ? &losses[p] : nullptr);
            for (std::size_t i = 0; i < count; ++i) work.block_b.data()[i] = row_sum[work.row(i)];
            loops.step_kl(h, work.block_a.data(), work.block_b.data(), count, eps);
            work.add_terms(plan.parts[p], sums[p], 0, h);
            loops.ratio_spread(work.quads(), work.quad_count(), state.span, eps);
            for (std::size_t i = 0; i < count; ++i) {
                double& to = sums[p].activation[plan.parts[p].place[work.row(i)]];
                for (std::size_t f = 0; f < kStripFrames; ++f) to += static_cast<double>(h[i * kStripFrames + f]);
            }
        });
        if (pending) state.losses.push_back(total(losses) + state.exact.idle());
        std::vector<double> weight(plan.templates, 0.0);
        for (std::size_t p = 0; p < sums.size(); ++p) {
            for (std::size_t i = 0; i < sums[p].activation.size(); ++i)
                weight[plan.parts[p].rows[i]] += sums[p].activation[i];
            std::fill(sums[p].activation.begin(), sums[p].activation.end(), 0.0);
        }
        for (std::size_t i = 0; i < plan.active.size(); ++i) row_weight[i] = static_cast<float>(weight[plan.active[i]]);
        refine_columns(state.crew, plan, w, table, eps, scratch, [&](const TemplateBlock& block) {
            loops.refine_kl(block, row_weight.data());
            return 0.0;
        });
        pending = state.options.loss_due(done);
        if (!state.go_on(done)) break;
    }
    flush_loss();
}

// With fixed templates a strip goes through all iterations up to the next report at once.
int chunk_end(const State& state, int done, bool one_by_one) {
    if (one_by_one) return done + 1;
    const int step = state.options.progress_interval;
    return std::min(state.options.iterations, done - done % step + step);
}

void fixed_euclidean(State& state, const RowsView& w, const std::vector<float>& gram) {
    const Plan& plan = state.plan;
    const InnerLoops& loops = state.loops;
    const float eps = state.options.eps;
    Activations numerators(plan, nullptr); // W^T V: needed again and again, computed once
    state.sweep.pass([&](StripWork& work, std::size_t strip, std::size_t) {
        work.bind_templates(w);
        work.bind_result(numerators.block(strip));
        loops.project(work.quads(), work.quad_count(), state.span);
    });
    bool one_by_one = state.options.loss_interval > 0 && state.exact.tiny();
    for (int done = 0; done < state.options.iterations;) {
        const int end = chunk_end(state, done, one_by_one);
        const std::size_t steps = static_cast<std::size_t>(end - done);
        std::vector<double> losses(plan.parts.size() * steps, 0.0);
        state.sweep.pass([&](StripWork& work, std::size_t strip, std::size_t p) {
            float* h = state.h.block(strip);
            const float* numerator = numerators.block(strip);
            const std::size_t count = work.strip().count;
            float* den = work.block_b.data();
            work.gather_gram(gram);
            for (std::size_t i = 0; i < steps; ++i) {
                loops.step_euclidean(h, numerator, work.gram(), count, eps, den);
                if (!state.options.loss_due(done + static_cast<int>(i) + 1)) continue;
                loops.gram_times(den, h, work.gram(), count);
                losses[p * steps + i] +=
                    loops.inner(h, den, count * kStripFrames) - 2.0 * loops.inner(h, numerator, count * kStripFrames);
            }
        });
        for (std::size_t i = 0; i < steps; ++i) {
            if (!state.options.loss_due(done + static_cast<int>(i) + 1)) continue;
            double loss = state.exact.square_norm();
            for (std::size_t p = 0; p < plan.parts.size(); ++p) loss += losses[p * steps + i];
            if (state.exact.needed(loss)) one_by_one = true;
            if (one_by_one && i + 1 == steps) loss = state.exact.of(w, state.h);
            state.losses.push_back(std::max(loss, 0.0));
        }
        done = end;
        if (!state.go_on(done)) return;
    }
}

void fixed_kullback_leibler(State& state, const RowsView& w, const std::vector<float>& row_sum) {
    const Plan& plan = state.plan;
    const InnerLoops& loops = state.loops;
    const float eps = state.options.eps;
    bool pending = false;
    for (int done = 0; done < state.options.iterations;) {
        const int end = chunk_end(state, done, false);
        const std::size_t steps = static_cast<std::size_t>(end - done);
        // Slot i: the loss before step done + i + 1, that is after iteration done + i.
        std::vector<double> losses(plan.parts.size() * steps, 0.0);
        const auto wanted = [&](std::size_t i) {
            return i == 0 ? pending : state.options.loss_due(done + static_cast<int>(i));
        };
        state.sweep.pass([&](StripWork& work, std::size_t strip, std::size_t p) {
            float* h = state.h.block(strip);
            const std::size_t count = work.strip().count;
            work.bind_templates(w);
            work.bind_activations(h);
            work.bind_result(work.block_a.data());
            for (std::size_t i = 0; i < count; ++i) work.block_b.data()[i] = row_sum[work.row(i)];
            for (std::size_t i = 0; i < steps; ++i) {
                loops.ratio_project(work.quads(), work.quad_count(), state.span, eps, work.scratch.data(),
                                    wanted(i) ? &losses[p * steps + i] : nullptr);
                loops.step_kl(h, work.block_a.data(), work.block_b.data(), count, eps);
            }
        });
        for (std::size_t i = 0; i < steps; ++i) {
            if (!wanted(i)) continue;
            double loss = state.exact.idle();
            for (std::size_t p = 0; p < plan.parts.size(); ++p) loss += losses[p * steps + i];
            state.losses.push_back(loss);
        }
        done = end;
        pending = state.options.loss_due(done);
        if (!state.go_on(done)) break;
    }
    if (pending) state.losses.push_back(state.exact.of(w, state.h));
}

} // namespace

std::vector<double> nmf(const Signal& signal, TemplateRows& w, const float* h, float* h_out, const Options& options) {
    const FlushDenormals flush;
    State state(signal, w.rows(), h, options, 1);
    if (options.eps > 0.0f && options.iterations > 0) clear_inactive(state.plan, w);
    if (options.loss == Loss::euclidean)
        euclidean(state, w);
    else
        kullback_leibler(state, w);
    state.h.write(h_out);
    return std::move(state.losses);
}

std::vector<double> nmf_fixed(const Signal& signal, const float* w, std::size_t templates, const float* h, float* h_out,
                              const Options& options) {
    const FlushDenormals flush;
    State state(signal, templates, h, options, 0);
    // The caller's rows are good enough for a few frames; more are worth rows that suit the cache.
    const bool copy = signal.frames >= 64;
    const TemplateRows padded = copy ? TemplateRows::copied(w, templates, signal.bins) : TemplateRows();
    const RowsView rows = copy ? RowsView(padded, state.span) : RowsView(w, templates, signal.bins, state.span);
    if (options.loss == Loss::euclidean) {
        std::vector<float> gram(templates * templates, 0.0f);
        Coactivity(state.plan).gram(state.loops, state.crew, rows, state.span, gram);
        fixed_euclidean(state, rows, gram);
    } else {
        std::vector<float> row_sum(templates, 0.0f);
        for (const std::uint32_t r : state.plan.active)
            row_sum[r] = state.loops.row_sum(rows.row(r), rows.tail(r), state.span);
        fixed_kullback_leibler(state, rows, row_sum);
    }
    state.h.write(h_out);
    return std::move(state.losses);
}

} // namespace terzetto
