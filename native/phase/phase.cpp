// SPDX-License-Identifier: GPL-3.0-or-later
#include "phase.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

namespace terzetto::phase {

namespace {

constexpr std::size_t kSteps = 4096;
constexpr std::uint32_t kNone = UINT32_MAX;
constexpr std::uint16_t kSilent = UINT16_MAX;
constexpr float kTurn = 6.28318530717958647692f;

// The highest bit of a word that is not 0.
inline unsigned highest(std::uint64_t word) {
#if defined(__GNUC__)
    return 63u - static_cast<unsigned>(__builtin_clzll(word));
#else
    unsigned bit = 0;
    while (word >>= 1) ++bit;
    return bit;
#endif
}

// Cells by level: a stack for each, linked through `below`, and two levels of bits that say which are not empty.
class Loudest {
public:
    explicit Loudest(std::size_t cells) : below_(cells) { top_.fill(kNone); }

    bool empty() const { return words_ == 0; }

    void put(std::uint32_t cell, std::uint16_t level) {
        below_[cell] = top_[level];
        top_[level] = cell;
        bits_[level / 64] |= std::uint64_t{1} << (level % 64);
        words_ |= std::uint64_t{1} << (level / 64);
    }

    std::uint32_t take() {
        const unsigned word = highest(words_), level = 64 * word + highest(bits_[word]);
        const std::uint32_t cell = top_[level];
        top_[level] = below_[cell];
        if (top_[level] == kNone) {
            bits_[word] &= ~(std::uint64_t{1} << (level % 64));
            if (bits_[word] == 0) words_ &= ~(std::uint64_t{1} << word);
        }
        return cell;
    }

private:
    std::vector<std::uint32_t> below_;
    std::array<std::uint32_t, kSteps> top_;
    std::array<std::uint64_t, kSteps / 64> bits_{};
    std::uint64_t words_ = 0;
    static_assert(kSteps / 64 <= 64, "one word must hold a bit for each word");
};

// The level of each cell: 0 at the tolerance, kSteps - 1 at the loudest, in equal steps of the logarithm.
std::vector<std::uint16_t> levels(const Field& field, float tolerance) {
    const std::size_t cells = field.rows * field.columns;
    std::vector<std::uint16_t> level(cells, kSilent);
    const float loudest = cells ? *std::max_element(field.magnitude, field.magnitude + cells) : 0.0f;
    const float least = std::max(loudest * tolerance, 1e-30f);
    if (!(loudest > least)) return level;
    const float low = std::log(least), scale = static_cast<float>(kSteps - 1) / (std::log(loudest) - low);
    for (std::size_t i = 0; i < cells; ++i)
        if (field.magnitude[i] >= least) {
            const float step = scale * (std::log(field.magnitude[i]) - low);
            level[i] = static_cast<std::uint16_t>(std::min(std::max(step, 0.0f), static_cast<float>(kSteps - 1)));
        }
    return level;
}

// Cells above the tolerance, loudest first: where the next region starts. A counting sort, by the rounded level.
std::vector<std::uint32_t> by_level(const std::vector<std::uint16_t>& level) {
    std::array<std::uint32_t, kSteps + 1> start{};
    for (const std::uint16_t each : level)
        if (each != kSilent) ++start[kSteps - 1 - each + 1];
    for (std::size_t i = 1; i <= kSteps; ++i) start[i] += start[i - 1];
    std::vector<std::uint32_t> order(start[kSteps]);
    for (std::size_t i = 0; i < level.size(); ++i)
        if (level[i] != kSilent) order[start[kSteps - 1 - level[i]]++] = static_cast<std::uint32_t>(i);
    return order;
}

} // namespace

void integrate(const Field& field, float tolerance, float* phase) {
    std::vector<std::uint16_t> level = levels(field, tolerance);
    const std::uint32_t columns = static_cast<std::uint32_t>(field.columns);
    const std::uint32_t last_row = static_cast<std::uint32_t>(field.rows * field.columns) - columns;
    Loudest heap(level.size());
    const std::vector<std::uint32_t> order = by_level(level);

    // A cell that has its phase is marked by taking its level away; it enters the heap once.
    const auto settle = [&](std::uint32_t cell, float value) {
        phase[cell] = value - kTurn * std::round(value / kTurn); // small numbers keep their digits
        heap.put(cell, level[cell]);
        level[cell] = kSilent;
    };
    for (const std::uint32_t seed : order) {
        if (level[seed] == kSilent) continue;
        settle(seed, 0.0f);
        while (!heap.empty()) {
            const std::uint32_t cell = heap.take(), column = cell % columns;
            const float here = phase[cell], down = field.down[cell], across = field.across[cell];
            const auto reach = [&](std::uint32_t other, float sign, float mine, const float* change) {
                if (level[other] != kSilent) settle(other, here + sign * 0.5f * (mine + change[other]));
            };
            if (cell < last_row) reach(cell + columns, 1.0f, down, field.down);
            if (cell >= columns) reach(cell - columns, -1.0f, down, field.down);
            if (column + 1 < columns) reach(cell + 1, 1.0f, across, field.across);
            if (column > 0) reach(cell - 1, -1.0f, across, field.across);
        }
    }
}

void spread(const float* magnitude, const float* phase, std::size_t cells, std::complex<float>* spectra) {
    for (std::size_t i = 0; i < cells; ++i)
        spectra[i] = std::complex<float>(magnitude[i] * std::cos(phase[i]), magnitude[i] * std::sin(phase[i]));
}

} // namespace terzetto::phase
