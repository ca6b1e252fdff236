// SPDX-License-Identifier: GPL-3.0-or-later
// Python's view: checks shapes, releases the interpreter while it works.
#include "phase.hpp"

#include <pybind11/complex.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <vector>

namespace py = pybind11;

namespace terzetto::phase {

namespace {

using Floats = py::array_t<float, py::array::c_style>;

void check(const Floats& array, const char* name, const Floats& magnitude) {
    if (array.ndim() != 2 || array.shape(0) != magnitude.shape(0) || array.shape(1) != magnitude.shape(1))
        throw py::value_error(std::string(name) + " must have the shape of magnitude (" +
                              std::to_string(magnitude.shape(0)) + ", " + std::to_string(magnitude.shape(1)) + ")");
}

py::array_t<std::complex<float>> py_integrate(const Floats& magnitude, const Floats& down, const Floats& across,
                                              const Floats& start, float tolerance) {
    if (magnitude.ndim() != 2) throw py::value_error("magnitude must be rows x columns");
    if (magnitude.size() >= static_cast<py::ssize_t>(UINT32_MAX)) throw py::value_error("magnitude has too many cells");
    check(down, "down", magnitude);
    check(across, "across", magnitude);
    check(start, "start", magnitude);
    if (!(tolerance > 0.0f && tolerance < 1.0f)) throw py::value_error("tolerance must be above 0 and below 1");
    const std::size_t rows = static_cast<std::size_t>(magnitude.shape(0)),
                      cells = static_cast<std::size_t>(start.size());
    py::array_t<std::complex<float>> spectra({magnitude.shape(0), magnitude.shape(1)});
    std::complex<float>* out = spectra.mutable_data();
    {
        const py::gil_scoped_release unlocked;
        std::vector<float> phase(start.data(), start.data() + cells);
        const Field field{magnitude.data(), down.data(), across.data(), rows, rows ? cells / rows : 0};
        integrate(field, tolerance, phase.data());
        spread(magnitude.data(), phase.data(), cells, out);
    }
    return spectra;
}

} // namespace

PYBIND11_MODULE(_phase, m) {
    m.doc() = "Phase out of magnitudes: terzetto.audio.phase says how to use it.";
    m.def("integrate", &py_integrate, py::arg("magnitude"), py::arg("down"), py::arg("across"), py::arg("start"),
          py::kw_only(), py::arg("tolerance"));
}

} // namespace terzetto::phase
