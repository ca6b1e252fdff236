// SPDX-License-Identifier: GPL-3.0-or-later
// learn() and split() on odd sizes: learn against a naive double loop, split by what must hold of it. (Its
// agreement with the model in double precision is the Python tests' business; here the sanitizers watch.)
#include "coherence.hpp"
#include "stream.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdio>
#include <random>
#include <vector>

namespace {

using namespace terzetto::coherence;

int failures = 0;

void expect(bool holds, const char* what, std::size_t bins, std::size_t frames, std::size_t rows) {
    if (holds) return;
    std::fprintf(stderr, "%s: bins=%zu frames=%zu rows=%zu\n", what, bins, frames, rows);
    ++failures;
}

struct Take {
    std::size_t bins, frames, rows;
    std::vector<Sample> x, turning;
    std::vector<float> w, left, right, gain;

    Take(std::size_t k, std::size_t n, std::size_t r) : bins(k), frames(n), rows(r) {
        std::mt19937 random(static_cast<unsigned>(k + 31 * n + 1009 * r));
        std::normal_distribution<float> normal;
        std::uniform_real_distribution<float> level(0.0f, 1.0f);
        for (std::size_t i = 0; i < frames * bins; ++i) x.emplace_back(normal(random), normal(random));
        for (std::size_t i = 0; i < rows * bins; ++i) {
            w.push_back(level(random));
            turning.push_back(std::polar(w.back() * level(random), 6.28f * level(random)));
        }
        for (std::size_t i = 0; i < rows * frames; ++i) {
            left.push_back(level(random) < 0.4f ? level(random) : 0.0f);
            right.push_back(level(random) < 0.4f ? level(random) : 0.0f);
        }
        gain.assign(bins, 1.5f);
    }
    Templates templates() const { return {w.data(), turning.data(), rows, bins}; }
};

void check_learn(const Take& t) {
    constexpr float threshold = 0.3f;
    std::vector<std::complex<double>> turn(t.rows * t.bins);
    std::vector<double> size(t.rows * t.bins);
    for (std::size_t n = 1; n < t.frames; ++n)
        for (std::size_t k = 0; k < t.bins; ++k) {
            double total = 0.0;
            for (std::size_t r = 0; r < t.rows; ++r)
                total += static_cast<double>(t.w[r * t.bins + k]) * static_cast<double>(t.left[r * t.frames + n]);
            const std::complex<double> now(t.x[n * t.bins + k]), before(t.x[(n - 1) * t.bins + k]);
            for (std::size_t r = 0; r < t.rows; ++r) {
                const double h = static_cast<double>(t.left[r * t.frames + n]);
                if (!(h > 0.0) || !(t.left[r * t.frames + n - 1] > 0.0f)) continue;
                if (!(h * static_cast<double>(t.w[r * t.bins + k]) > static_cast<double>(threshold) * total)) continue;
                turn[r * t.bins + k] += now * std::conj(before);
                size[r * t.bins + k] += std::abs(now * std::conj(before));
            }
        }
    const Activations activations = Activations::from_dense(t.left.data(), nullptr, t.rows, t.frames);
    for (unsigned threads = 1; threads <= 3; ++threads) {
        std::vector<Sample> turn_found(t.rows * t.bins);
        std::vector<float> size_found(t.rows * t.bins);
        learn(t.x.data(), t.templates(), activations, threshold, turn_found.data(), size_found.data(), threads);
        double largest = 1e-3, worst = 0.0;
        for (std::size_t i = 0; i < size.size(); ++i) {
            largest = std::max(largest, size[i]);
            worst = std::max(worst, std::abs(turn[i] - std::complex<double>(turn_found[i])));
            worst = std::max(worst, std::abs(size[i] - static_cast<double>(size_found[i])));
        }
        expect(worst <= 1e-4 * largest, "learn differs from the naive loop", t.bins, t.frames, t.rows);
    }
}

void check_split(const Take& t) {
    const Activations both = Activations::from_dense(t.left.data(), t.right.data(), t.rows, t.frames);
    std::vector<Sample> one(t.frames * t.bins), many(t.frames * t.bins);
    split(t.x.data(), t.templates(), both, t.gain.data(), {}, one.data(), 1);
    bool finite = true;
    for (const Sample& s : one) finite = finite && std::abs(s) < 1e6f;
    expect(finite, "split is not finite", t.bins, t.frames, t.rows);
    for (unsigned threads = 2; threads <= 3; ++threads) {
        split(t.x.data(), t.templates(), both, t.gain.data(), {}, many.data(), threads);
        expect(one == many, "split depends on the threads", t.bins, t.frames, t.rows);
    }
    // Nothing but the left source: all is its own.
    const std::vector<float> silent(t.rows * t.frames, 0.0f), sounding(t.rows * t.frames, 1.0f);
    const Activations alone = Activations::from_dense(sounding.data(), silent.data(), t.rows, t.frames);
    split(t.x.data(), t.templates(), alone, t.gain.data(), {}, one.data(), 2);
    double error = 0.0, energy = 1e-6;
    for (std::size_t i = 0; i < one.size(); ++i) {
        error += static_cast<double>(std::norm(one[i] - t.x[i]));
        energy += static_cast<double>(std::norm(t.x[i]));
    }
    expect(t.rows == 0 || error < 1e-4 * energy, "a source alone does not get all", t.bins, t.frames, t.rows);
}

void check_stream(const Take& t) {
    std::vector<Sample> whole(t.frames * t.bins), frame(t.bins);
    const Activations both = Activations::from_dense(t.left.data(), t.right.data(), t.rows, t.frames);
    SplitOptions options;
    options.reach = 0.0f;
    split(t.x.data(), t.templates(), both, t.gain.data(), options, whole.data(), 1);
    Filter filter(t.templates(), t.gain.data(), 1, options);
    for (std::size_t n = 0; n < t.frames; ++n) {
        const std::size_t begin = both.start[n], count = both.start[n + 1] - begin;
        filter.next(&t.x[n * t.bins], both.row.data() + begin, both.left.data() + begin, both.right.data() + begin,
                    count, frame.data());
        expect(std::equal(frame.begin(), frame.end(), whole.begin() + static_cast<std::ptrdiff_t>(n * t.bins)),
               "the stream filter differs from split", t.bins, n, t.rows);
    }
}

} // namespace

int main() {
    for (const std::size_t bins : {1, 15, 16, 17, 101})
        for (const std::size_t frames : {1, 2, 37})
            for (const std::size_t rows : {1, 6}) {
                const Take take(bins, frames, rows);
                check_learn(take);
                check_split(take);
                check_stream(take);
            }
    const Take empty(5, 0, 2);
    check_learn(empty);
    check_split(empty);
    if (failures) {
        std::fprintf(stderr, "coherence_selftest: %d failures\n", failures);
        return 1;
    }
    std::printf("coherence_selftest: all hold\n");
    return 0;
}
