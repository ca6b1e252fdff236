// SPDX-License-Identifier: GPL-3.0-or-later
// Phase out of the magnitudes of a time-frequency transform: heap integration of the phase gradient (Průša, Balazs,
// Søndergaard 2017, "A Noniterative Method for Reconstruction of Phase From STFT Magnitude", algorithm 1).
//
// The gradient is given per cell, so the transform may be a short-time Fourier transform or a filter bank (Průša,
// Holighaus 2017). Cells are taken loudest first. Their level is rounded to one of 4096 steps of equal width, so that
// the heap is a row of stacks with a bitmap over it: putting and taking cost the same for any number of cells.
#pragma once

#include <complex>
#include <cstddef>

namespace terzetto::phase {

struct Field {
    const float* magnitude; // rows x columns, not negative
    const float* down;      // phase change to the next row, in radians
    const float* across;    // phase change to the next column
    std::size_t rows, columns;
};

// Write the phase of every cell into `phase` (rows x columns). Neighbours differ by the mean of their changes; each
// connected region starts at its loudest cell with phase 0. Cells of less than `tolerance` (0..1) of the loudest keep
// the phase that they have on entry, and silence everywhere keeps all.
void integrate(const Field& field, float tolerance, float* phase);

// Write magnitude times exp(i phase).
void spread(const float* magnitude, const float* phase, std::size_t cells, std::complex<float>* spectra);

} // namespace terzetto::phase
