// SPDX-License-Identifier: GPL-3.0-or-later
#include "factorisation.hpp"

#include "denormals.hpp"
#include "mask.hpp"

#include <algorithm>
#include <cmath>

namespace terzetto {

namespace {

// A row has few degrees of freedom that matter: more frames would not change it.
constexpr std::size_t kMostFrames = 256;
// Of a row's greatest weight: smaller ones are left as they start.
constexpr float kNegligible = 0.01f;

// What one worker needs to fit one row after another.
class RowFit {
public:
    RowFit(const Signal& signal, const float* h, const InnerLoops& loops, int iterations)
        : signal_(signal), h_(h), loops_(loops), iterations_(iterations), width_(rounded_up(signal.bins, kMaxWidth)),
          data_(std::min(rounded_up(signal.frames, 4), kMostFrames) * width_), target_(kMostFrames), weights_(width_),
          scratch_(2 * width_) {}

    void fit(std::size_t r, float* encoder) {
        choose_frames(h_ + r * signal_.frames);
        choose_bins(encoder);
        if (frames_.empty() || bins_.empty()) return;
        const std::size_t rows = rounded_up(frames_.size(), 4), columns = rounded_up(bins_.size(), kMaxWidth);
        std::fill(data_.data(), data_.data() + rows * columns, 0.0f);
        target_.clear();
        weights_.clear();
        for (std::size_t f = 0; f < frames_.size(); ++f) {
            const float* from = signal_.v + frames_[f] * signal_.bins;
            float* to = data_.data() + f * columns;
            for (std::size_t k = 0; k < bins_.size(); ++k) to[k] = from[bins_[k]];
            target_.data()[f] = h_[r * signal_.frames + frames_[f]];
        }
        for (std::size_t k = 0; k < bins_.size(); ++k) weights_.data()[k] = encoder[bins_[k]];
        loops_.fit_row(weights_.data(), data_.data(), target_.data(), rows, columns, iterations_, scratch_.data());
        for (std::size_t k = 0; k < bins_.size(); ++k) encoder[bins_[k]] = weights_.data()[k];
    }

private:
    // Evenly out of those where the row is active.
    void choose_frames(const float* h) {
        frames_.clear();
        for (std::size_t n = 0; n < signal_.frames; ++n)
            if (h[n] != 0.0f) frames_.push_back(n);
        const std::size_t all = frames_.size();
        if (all <= kMostFrames) return;
        const double step = static_cast<double>(all - 1) / static_cast<double>(kMostFrames - 1);
        for (std::size_t i = 0; i < kMostFrames; ++i)
            frames_[i] = frames_[static_cast<std::size_t>(std::nearbyint(static_cast<double>(i) * step))];
        frames_.resize(kMostFrames);
    }

    void choose_bins(const float* encoder) {
        bins_.clear();
        const float least = kNegligible * *std::max_element(encoder, encoder + signal_.bins);
        for (std::size_t k = 0; k < signal_.bins; ++k)
            if (encoder[k] > least) bins_.push_back(k);
    }

    const Signal& signal_;
    const float* h_;
    const InnerLoops& loops_;
    const int iterations_;
    const std::size_t width_;
    std::vector<std::size_t> frames_, bins_;
    AlignedFloats data_, target_, weights_, scratch_;
};

// encoder = W o (H (V / W H)^T) / (M V^T): the mean share that a row has in each bin.
void start(const Signal& signal, const float* w, std::size_t templates, const float* h, const Plan& plan, Crew& crew,
           const InnerLoops& loops, float* encoder) {
    const Span span = signal.span(loops);
    const TemplateRows padded = TemplateRows::copied(w, templates, signal.bins);
    const RowsView rows(padded, span);
    const Activations activations(plan, h);
    const Mask mask(plan, h);
    std::vector<PartSums> sums;
    for (const Part& part : plan.parts) sums.emplace_back(part, signal.bins, 2, false, false);
    Sweep(plan, signal, loops, crew).pass([&](StripWork& work, std::size_t strip, std::size_t p) {
        work.bind_templates(rows);
        work.bind_activations(activations.block(strip));
        work.add_terms(plan.parts[p], sums[p], 0, activations.block(strip));
        loops.ratio_spread(work.quads(), work.quad_count(), span, 0.0f);
        work.clear_terms();
        mask.write(strip, work.block_a.data());
        work.add_terms(plan.parts[p], sums[p], 1, work.block_a.data());
        loops.spread(work.quads(), work.quad_count(), span);
    });
    const SumTable shares(plan, sums, 0), masked(plan, sums, 1);
    for (std::size_t i = 0; i < plan.active.size(); ++i) {
        const std::size_t at = plan.active[i] * signal.bins;
        for (std::size_t k = 0; k < signal.bins; ++k) {
            float share = 0.0f, seen = 0.0f;
            for (std::size_t p = 0; p < sums.size(); ++p) {
                if (!shares.get()[p][i]) continue;
                share += shares.get()[p][i][k];
                seen += masked.get()[p][i][k];
            }
            encoder[at + k] = seen > 0.0f ? w[at + k] * share / seen : 0.0f;
        }
    }
}

} // namespace

void fit_encoder(const Signal& signal, const float* w, std::size_t templates, const float* h, float* encoder,
                 const Options& options) {
    if (!signal.bins) return;
    const FlushDenormals flush;
    const InnerLoops& loops = *options.loops;
    const Plan plan(templates, signal.frames, 2, nonzero_bits(h, templates, signal.frames));
    // A row's fit does not depend on the others: any number of workers may share them.
    Crew crew(worker_count(options.threads, templates, 1e5 * static_cast<double>(templates * options.iterations)));
    start(signal, w, templates, h, plan, crew, loops, encoder);
    std::vector<std::unique_ptr<RowFit>> fits(crew.workers());
    const std::size_t rows = plan.active.size();
    const std::size_t step = static_cast<std::size_t>(options.progress_interval);
    for (std::size_t done = 0; done < rows;) {
        const std::size_t count = std::min(step, rows - done);
        crew.run(count, [&](std::size_t job, std::size_t worker) {
            if (!fits[worker]) fits[worker] = std::make_unique<RowFit>(signal, h, loops, options.iterations);
            const std::uint32_t r = plan.active[done + job];
            fits[worker]->fit(r, encoder + r * signal.bins);
        });
        done += count;
        if (!options.progress) continue;
        const FlushDenormals usual(false);
        if (!options.progress(static_cast<int>(done), static_cast<int>(rows))) return;
    }
}

} // namespace terzetto
