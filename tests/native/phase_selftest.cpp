// SPDX-License-Identifier: GPL-3.0-or-later
// integrate() on odd sizes, silence and quiet cells. (Its agreement with the paper's algorithm is the Python tests'
// business; here the sanitizers watch.)
#include "phase.hpp"

#include <cmath>
#include <complex>
#include <cstdio>
#include <random>
#include <vector>

namespace {

using namespace terzetto::phase;

int failures = 0;

void expect(bool holds, const char* what, std::size_t rows, std::size_t columns) {
    if (holds) return;
    std::fprintf(stderr, "%s: rows=%zu columns=%zu\n", what, rows, columns);
    ++failures;
}

// The distance of two angles.
float apart(float a, float b) {
    return std::abs(std::arg(std::polar(1.0f, a - b)));
}

// A field that is the slope of a potential: whatever the order, the potential comes back.
void check_potential(std::size_t rows, std::size_t columns) {
    const std::size_t cells = rows * columns;
    std::mt19937 random(static_cast<unsigned>(rows + 31 * columns));
    std::uniform_real_distribution<float> level(0.2f, 1.0f);
    std::vector<float> magnitude, potential, phase(cells, 9.0f);
    const std::vector<float> down(cells, 0.7f), across(cells, -0.4f);
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < columns; ++c) {
            magnitude.push_back(level(random));
            potential.push_back(0.7f * static_cast<float>(r) - 0.4f * static_cast<float>(c));
        }
    if (cells) magnitude[cells / 2] = 2.0f;
    const Field field{magnitude.data(), down.data(), across.data(), rows, columns};
    integrate(field, 1e-3f, phase.data());
    bool same = true;
    for (std::size_t i = 0; i < cells; ++i) same = same && apart(phase[i], potential[i] - potential[cells / 2]) < 1e-3f;
    expect(same, "the potential does not come back", rows, columns);

    std::vector<std::complex<float>> spectra(cells);
    spread(magnitude.data(), phase.data(), cells, spectra.data());
    bool as_loud = true;
    for (std::size_t i = 0; i < cells; ++i) as_loud = as_loud && std::abs(std::abs(spectra[i]) - magnitude[i]) < 1e-5f;
    expect(as_loud, "spread changes the magnitude", rows, columns);
}

// Two loud islands in silence: both start at 0, the silence keeps what it had.
void check_islands() {
    const std::vector<float> magnitude{1.0f, 0.0f, 0.5f, 0.4f, 0.0f}, change(5, 1.0f);
    std::vector<float> phase(5, 0.25f);
    integrate({magnitude.data(), change.data(), change.data(), 1, 5}, 1e-3f, phase.data());
    const std::vector<float> expected{0.0f, 0.25f, 0.0f, 1.0f, 0.25f};
    for (std::size_t i = 0; i < 5; ++i) expect(apart(phase[i], expected[i]) < 1e-5f, "islands", 1, i);

    const std::vector<float> silence(12, 0.0f), slope(12, 2.0f);
    std::vector<float> kept(12, 0.5f);
    integrate({silence.data(), slope.data(), slope.data(), 3, 4}, 1e-3f, kept.data());
    expect(kept == std::vector<float>(12, 0.5f), "silence loses its phase", 3, 4);
}

} // namespace

int main() {
    for (const std::size_t rows : {0, 1, 2, 17, 64})
        for (const std::size_t columns : {0, 1, 2, 33, 100}) check_potential(rows, columns);
    check_islands();
    if (failures) {
        std::fprintf(stderr, "phase_selftest: %d failures\n", failures);
        return 1;
    }
    std::printf("phase_selftest: all hold\n");
    return 0;
}
