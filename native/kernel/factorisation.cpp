// SPDX-License-Identifier: GPL-3.0-or-later
#include "factorisation.hpp"

#include <algorithm>
#include <thread>

namespace terzetto {

std::size_t worker_count(int threads, std::size_t jobs, double madds) {
    // Below this, waking threads takes longer than they save.
    constexpr double kWorthAThread = 2e7;
    std::size_t wanted = static_cast<std::size_t>(std::max(threads, 0));
    if (threads <= 0) wanted = madds < kWorthAThread ? 1 : std::max(1u, std::thread::hardware_concurrency());
    return std::max<std::size_t>(1, std::min(wanted, jobs));
}

Sweep::Sweep(const Plan& plan, const Signal& signal, const InnerLoops& loops, Crew& crew)
    : plan_(plan), signal_(signal), loops_(loops), crew_(crew), work_(crew.workers()) {}

StripWork& Sweep::work(std::size_t worker) {
    if (!work_[worker]) work_[worker] = std::make_unique<StripWork>(plan_, signal_, loops_);
    return *work_[worker];
}

void Sweep::pass(const std::vector<Part>& parts, std::size_t copies, const Visit& visit) {
    const bool backwards = backwards_;
    backwards_ = !backwards_;
    const std::size_t jobs = parts.size() * copies;
    crew_.run(jobs, [&](std::size_t job, std::size_t worker) {
        const std::size_t p = backwards ? jobs - 1 - job : job;
        const Part& part = parts[p / copies];
        StripWork& mine = work(worker);
        for (std::size_t i = part.first; i < part.last; ++i) {
            const std::size_t s = backwards ? part.first + part.last - 1 - i : i;
            if (!plan_.strips[s].count) continue;
            const bool last = i + 1 == part.last;
            mine.aim(plan_.strips[s], last ? nullptr : &plan_.strips[backwards ? s - 1 : s + 1]);
            visit(mine, s, p);
        }
    });
}

void Sweep::idle_pass(const Visit& visit) {
    crew_.run(plan_.parts.size(), [&](std::size_t p, std::size_t worker) {
        for (std::size_t s = plan_.parts[p].first; s < plan_.parts[p].last; ++s) {
            work(worker).aim_idle(plan_.strips[s]);
            if (work(worker).quad_count()) visit(work(worker), s, p);
        }
    });
}

Activations::Activations(const Plan& plan, const float* h) : plan_(plan), floats_(plan.block_rows() * kStripFrames) {
    if (!h) return;
    for (std::size_t s = 0; s < plan.strips.size(); ++s) {
        const Strip& strip = plan.strips[s];
        for (std::size_t i = 0; i < strip.count; ++i) {
            const float* from = h + plan.rows[strip.rows_at + i] * plan.frames + strip.first_frame;
            std::copy(from, from + strip.frames, block(s) + i * kStripFrames);
        }
    }
}

void Activations::write(float* h) const {
    for (std::size_t s = 0; s < plan_.strips.size(); ++s) {
        const Strip& strip = plan_.strips[s];
        for (std::size_t i = 0; i < strip.count; ++i) {
            const float* from = block(s) + i * kStripFrames;
            std::copy(from, from + strip.frames, h + plan_.rows[strip.rows_at + i] * plan_.frames + strip.first_frame);
        }
    }
}

double ExactLoss::of(const RowsView& w, const Activations& h) {
    std::vector<double> sums(plan_.parts.size(), 0.0);
    const Span span = signal_.span(*options_.loops);
    sweep_.pass([&](StripWork& work, std::size_t strip, std::size_t part) {
        work.bind_templates(w);
        work.bind_activations(h.block(strip));
        sums[part] += options_.loops->loss(work.quads(), work.quad_count(), span, options_.loss);
    });
    return total(sums) + idle();
}

double ExactLoss::idle() {
    if (idle_ >= 0.0) return idle_;
    std::vector<double> sums(plan_.parts.size(), 0.0);
    const Span span = signal_.span(*options_.loops);
    sweep_.idle_pass([&](StripWork& work, std::size_t, std::size_t part) {
        sums[part] += options_.loops->loss(work.quads(), work.quad_count(), span, options_.loss);
    });
    return idle_ = total(sums);
}

double ExactLoss::square_norm() {
    if (square_norm_ < 0.0) square_norm_ = options_.loops->square_sum(signal_.v, signal_.frames * signal_.bins);
    return square_norm_;
}

bool ExactLoss::needed(double estimate) {
    // Once needed, always: two ways of rounding must not take turns in one curve.
    for_good_ = for_good_ || tiny() || estimate < kPoorFit * square_norm();
    return for_good_;
}

} // namespace terzetto
