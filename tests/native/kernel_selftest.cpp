// SPDX-License-Identifier: GPL-3.0-or-later
// NMF, NAE, encode and the encoder's fit against naive double loops, without Python: odd sizes, both losses, every
// instruction level, one to three threads. Short enough for the sanitizers.
#include "dispatch.hpp"
#include "factorisation.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace terzetto;
using Doubles = std::vector<double>;

// Largest difference, relative to the reference's largest value, after kIterations updates.
constexpr double kTolerance = 1e-4;
constexpr int kIterations = 6;
int failures = 0;

// Everything as the kernel wants it: V frames x bins, W and E templates x bins, H and M templates x frames.
struct Problem {
    std::size_t bins, frames, templates;
    std::vector<float> v, w, e, h;
    std::vector<std::uint8_t> mask;
};

// Notes of a few frames in every template; `empty`: some templates and stretches of frames are silent.
Problem make_problem(std::size_t bins, std::size_t frames, std::size_t templates, double density, bool empty,
                     unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> level(0.0f, 1.0f);
    Problem p{bins, frames, templates, {}, {}, {}, {}, {}};
    for (std::size_t i = 0; i < frames * bins; ++i) p.v.push_back(level(random));
    for (std::size_t i = 0; i < templates * bins; ++i) {
        p.w.push_back(level(random) < 0.3f ? 0.0f : level(random));
        p.e.push_back(level(random) / static_cast<float>(bins));
    }
    for (std::size_t r = 0; r < templates; ++r) {
        bool on = false;
        for (std::size_t n = 0; n < frames; ++n) {
            if (n % 3 == 0) on = static_cast<double>(level(random)) < density;
            const bool silent = empty && (r % 5 == 4 || (n / 20) % 3 == 1);
            p.mask.push_back(on && !silent);
            p.h.push_back(on && !silent ? level(random) : 0.0f);
        }
    }
    return p;
}

double updated(double x, double numerator, double denominator, double eps) {
    return denominator + eps > 0.0 ? x * numerator / (denominator + eps) : x;
}

// Table 2.1 and table 3.1, entry by entry, nothing shared and nothing skipped.
struct Naive {
    const Problem& p;
    bool kl;
    double eps;
    Doubles w, h, e;

    Naive(const Problem& problem, Loss loss, double epsilon)
        : p(problem), kl(loss == Loss::kl), eps(epsilon), w(p.w.begin(), p.w.end()), h(p.h.begin(), p.h.end()),
          e(p.e.begin(), p.e.end()) {}

    Doubles model() const {
        Doubles m(p.frames * p.bins, 0.0);
        for (std::size_t r = 0; r < p.templates; ++r)
            for (std::size_t n = 0; n < p.frames; ++n)
                for (std::size_t k = 0; k < p.bins; ++k) m[n * p.bins + k] += w[r * p.bins + k] * h[r * p.frames + n];
        return m;
    }

    // What stands for V and for W H in the numerators and denominators: V and W H, or V / (W H) and 1.
    void sides(Doubles& above, Doubles& below) const {
        below = model();
        above.assign(p.v.begin(), p.v.end());
        if (!kl) return;
        for (std::size_t i = 0; i < above.size(); ++i) {
            above[i] = below[i] + eps > 0.0 ? above[i] / (below[i] + eps) : 0.0;
            below[i] = 1.0;
        }
    }

    double over_bins(const Doubles& rows, std::size_t r, const Doubles& x, std::size_t n) const {
        double sum = 0.0;
        for (std::size_t k = 0; k < p.bins; ++k) sum += rows[r * p.bins + k] * x[n * p.bins + k];
        return sum;
    }

    void update_activations() {
        Doubles above, below;
        sides(above, below);
        for (std::size_t r = 0; r < p.templates; ++r)
            for (std::size_t n = 0; n < p.frames; ++n)
                h[r * p.frames + n] =
                    updated(h[r * p.frames + n], over_bins(w, r, above, n), over_bins(w, r, below, n), eps);
    }

    void update_templates() {
        Doubles above, below;
        sides(above, below);
        for (std::size_t r = 0; r < p.templates; ++r)
            for (std::size_t k = 0; k < p.bins; ++k) {
                double numerator = 0.0, denominator = 0.0;
                for (std::size_t n = 0; n < p.frames; ++n) {
                    numerator += above[n * p.bins + k] * h[r * p.frames + n];
                    denominator += below[n * p.bins + k] * h[r * p.frames + n];
                }
                w[r * p.bins + k] = updated(w[r * p.bins + k], numerator, denominator, eps);
            }
    }

    void update_encoder() {
        Doubles above, below;
        sides(above, below);
        for (std::size_t r = 0; r < p.templates; ++r) {
            Doubles numerator(p.bins, 0.0), denominator(p.bins, 0.0);
            for (std::size_t n = 0; n < p.frames; ++n) {
                if (!p.mask[r * p.frames + n]) continue;
                const double a = over_bins(w, r, above, n), b = over_bins(w, r, below, n);
                for (std::size_t k = 0; k < p.bins; ++k) {
                    numerator[k] += a * static_cast<double>(p.v[n * p.bins + k]);
                    denominator[k] += b * static_cast<double>(p.v[n * p.bins + k]);
                }
            }
            for (std::size_t k = 0; k < p.bins; ++k)
                e[r * p.bins + k] = updated(e[r * p.bins + k], numerator[k], denominator[k], eps);
        }
    }

    void encode() {
        const Doubles v(p.v.begin(), p.v.end());
        for (std::size_t r = 0; r < p.templates; ++r)
            for (std::size_t n = 0; n < p.frames; ++n)
                h[r * p.frames + n] = p.mask[r * p.frames + n] ? over_bins(e, r, v, n) : 0.0;
    }

    // Least squares towards h, one row after the other; for fewer frames than the kernel would choose among.
    void fit_encoder() {
        const Doubles m = model();
        for (std::size_t r = 0; r < p.templates; ++r) {
            double* const row = e.data() + r * p.bins;
            const double* const target = h.data() + r * p.frames;
            for (std::size_t k = 0; k < p.bins; ++k) {
                double share = 0.0, seen = 0.0;
                for (std::size_t n = 0; n < p.frames; ++n) {
                    if (!(target[n] > 0.0)) continue;
                    const double v = static_cast<double>(p.v[n * p.bins + k]), x = m[n * p.bins + k];
                    share += x > 0.0 ? target[n] * v / x : 0.0;
                    seen += v;
                }
                row[k] = seen > 0.0 ? w[r * p.bins + k] * share / seen : 0.0;
            }
            const double least = 0.01 * *std::max_element(row, row + p.bins);
            std::vector<std::size_t> bins;
            for (std::size_t k = 0; k < p.bins; ++k)
                if (row[k] > least) bins.push_back(k);
            for (int i = 0; i < kIterations; ++i) {
                Doubles numerator(p.bins, 0.0), denominator(p.bins, 0.0);
                for (std::size_t n = 0; n < p.frames; ++n) {
                    if (!(target[n] > 0.0)) continue;
                    double code = 0.0;
                    for (const std::size_t k : bins) code += row[k] * static_cast<double>(p.v[n * p.bins + k]);
                    for (const std::size_t k : bins) {
                        numerator[k] += target[n] * static_cast<double>(p.v[n * p.bins + k]);
                        denominator[k] += code * static_cast<double>(p.v[n * p.bins + k]);
                    }
                }
                for (const std::size_t k : bins) row[k] = updated(row[k], numerator[k], denominator[k], 0.0);
            }
        }
    }

    double loss() const {
        const Doubles m = model();
        double sum = 0.0;
        for (std::size_t i = 0; i < m.size(); ++i) {
            const double v = static_cast<double>(p.v[i]);
            if (!kl)
                sum += (v - m[i]) * (v - m[i]);
            else
                sum += (v > 0.0 ? v * std::log(v / std::max(m[i], static_cast<double>(kLogFloor))) : 0.0) - v + m[i];
        }
        return sum;
    }
};

void compare(const std::string& where, const char* what, const float* ours, const Doubles& reference) {
    double largest = 1e-30, difference = 0.0;
    for (const double x : reference) largest = std::max(largest, std::abs(x));
    for (std::size_t i = 0; i < reference.size(); ++i) {
        const double d = std::abs(static_cast<double>(ours[i]) - reference[i]);
        difference = d <= difference ? difference : d; // a NaN counts
    }
    if (difference <= kTolerance * largest) return;
    std::fprintf(stderr, "%s: %s differs by %g of its maximum\n", where.c_str(), what, difference / largest);
    ++failures;
}

void compare_loss(const std::string& where, const Doubles& ours, double reference, const Problem& p) {
    double scale = 0.0;
    for (const float v : p.v) scale += static_cast<double>(v);
    if (ours.size() == kIterations &&
        std::abs(ours.back() - reference) <= kTolerance * std::max(reference, 1e-3 * scale))
        return;
    std::fprintf(stderr, "%s: %zu losses, the last is %.9g and should be %.9g\n", where.c_str(), ours.size(),
                 ours.empty() ? -1.0 : ours.back(), reference);
    ++failures;
}

void same(const std::string& where, const std::vector<float>& a, const std::vector<float>& b) {
    if (a == b) return;
    std::fprintf(stderr, "%s: not bit-identical to one thread\n", where.c_str());
    ++failures;
}

std::vector<float> dense(TemplateRows&& rows) {
    const std::size_t count = rows.rows() * rows.columns();
    const AlignedFloats floats = std::move(rows).compacted();
    return std::vector<float>(floats.data(), floats.data() + count);
}

// Each method on each level with each number of threads; the reference is computed once.
void check(const Problem& p, Loss loss, float eps, int most_threads) {
    const Signal signal{p.v.data(), p.frames, p.bins};
    Naive nmf_reference(p, loss, static_cast<double>(eps)), fixed_reference = nmf_reference,
                                                            nae_reference = nmf_reference;
    for (int i = 0; i < kIterations; ++i) {
        nmf_reference.update_activations();
        nmf_reference.update_templates();
        fixed_reference.update_activations();
    }
    nae_reference.encode();
    const Doubles encoded = nae_reference.h;
    Naive fit_reference(p, loss, 0.0);
    fit_reference.fit_encoder();
    for (int i = 0; i < kIterations; ++i) {
        nae_reference.update_templates();
        nae_reference.update_encoder();
        nae_reference.encode();
    }

    for (const InnerLoops* loops : supported_levels()) {
        std::vector<float> first_w, first_h, first_e, first_code, first_fit;
        for (int threads = 1; threads <= most_threads; ++threads) {
            const std::string where =
                std::string(loops->name) + (loss == Loss::kl ? " kl" : " euclidean") + " eps=" + std::to_string(eps) +
                " bins=" + std::to_string(p.bins) + " frames=" + std::to_string(p.frames) +
                " templates=" + std::to_string(p.templates) + " threads=" + std::to_string(threads);
            Options options;
            options.iterations = kIterations;
            options.loss = loss;
            options.eps = eps;
            options.threads = threads;
            options.loops = loops;
            int calls = 0;
            options.progress_interval = 2;
            options.progress = [&calls](int, int) { return ++calls > 0; };

            std::vector<float> h = p.h;
            TemplateRows w = TemplateRows::copied(p.w.data(), p.templates, p.bins);
            Doubles losses = nmf(signal, w, h.data(), h.data(), options);
            const std::vector<float> w_found = dense(std::move(w));
            compare(where, "W of nmf", w_found.data(), nmf_reference.w);
            compare(where, "H of nmf", h.data(), nmf_reference.h);
            compare_loss(where + ", nmf", losses, nmf_reference.loss(), p);
            if (calls != kIterations / 2) {
                std::fprintf(stderr, "%s: progress was called %d times\n", where.c_str(), calls);
                ++failures;
            }

            std::vector<float> fixed = p.h;
            losses = nmf_fixed(signal, p.w.data(), p.templates, fixed.data(), fixed.data(), options);
            compare(where, "H with fixed templates", fixed.data(), fixed_reference.h);
            compare_loss(where + ", fixed templates", losses, fixed_reference.loss(), p);

            std::vector<float> code(p.h.size(), 0.0f);
            encode(signal, p.e.data(), p.templates, p.mask.data(), code.data(), *loops, threads);
            compare(where, "H of encode", code.data(), encoded);

            std::vector<float> fitted(p.e.size(), 0.0f);
            fit_encoder(signal, p.w.data(), p.templates, p.h.data(), fitted.data(), options);
            compare(where, "fitted encoder", fitted.data(), fit_reference.e);

            TemplateRows encoder = TemplateRows::copied(p.e.data(), p.templates, p.bins);
            TemplateRows decoder = TemplateRows::copied(p.w.data(), p.templates, p.bins);
            AlignedFloats trained;
            losses = nae(signal, encoder, decoder, p.mask.data(), trained, options);
            const std::vector<float> e_found = dense(std::move(encoder)), d_found = dense(std::move(decoder));
            compare(where, "W_E of nae", e_found.data(), nae_reference.e);
            compare(where, "W_D of nae", d_found.data(), nae_reference.w);
            compare(where, "H' of nae", trained.data(), nae_reference.h);
            compare_loss(where + ", nae", losses, nae_reference.loss(), p);

            if (threads == 1) {
                first_w = w_found;
                first_h = h;
                first_e = e_found;
                first_code = code;
                first_fit = fitted;
            }
            same(where, w_found, first_w);
            same(where, h, first_h);
            same(where, e_found, first_e);
            same(where, code, first_code);
            same(where, fitted, first_fit);
        }
    }
}

// A progress function that throws, in the middle of work on several threads.
void check_exception(const Problem& p) {
    Options options;
    options.iterations = 50;
    options.threads = 3;
    options.loops = &level_named("");
    options.progress = [](int done, int) -> bool {
        if (done >= 5) throw std::runtime_error("enough");
        return true;
    };
    TemplateRows w = TemplateRows::copied(p.w.data(), p.templates, p.bins);
    std::vector<float> h = p.h;
    try {
        nmf({p.v.data(), p.frames, p.bins}, w, h.data(), h.data(), options);
    } catch (const std::runtime_error&) {
        return;
    }
    std::fprintf(stderr, "an exception of the progress function got lost\n");
    ++failures;
}

} // namespace

int main() {
    for (const Loss loss : {Loss::euclidean, Loss::kl}) {
        for (const float eps : {0.0f, 1e-3f}) {
            check(make_problem(1, 1, 1, 1.0, false, 1), loss, eps, 1);
            check(make_problem(1, 19, 3, 0.5, false, 2), loss, eps, 2);
            check(make_problem(17, 1, 5, 1.0, false, 3), loss, eps, 1);
            check(make_problem(33, 7, 1, 1.0, false, 4), loss, eps, 2);
            check(make_problem(67, 83, 13, 0.3, true, 5), loss, eps, 3);
            check(make_problem(129, 37, 9, 1.0, false, 6), loss, eps, 2);
            check(make_problem(40, 50, 6, 0.0, false, 7), loss, eps, 2); // nobody ever plays
        }
        // Long enough for several parts, which is what threads share.
        check(make_problem(61, 523, 7, 0.25, true, 8), loss, 0.0f, 3);
    }
    check_exception(make_problem(61, 523, 7, 0.25, true, 9));
    if (failures) {
        std::fprintf(stderr, "kernel_selftest: %d failures\n", failures);
        return 1;
    }
    std::printf("kernel_selftest: all agree (levels:");
    for (const InnerLoops* loops : supported_levels()) std::printf(" %s", loops->name);
    std::printf(")\n");
    return 0;
}
