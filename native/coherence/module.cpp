// SPDX-License-Identifier: GPL-3.0-or-later
// Python's view: checks shapes, releases the interpreter while it works.
#include "coherence.hpp"
#include "stream.hpp"

#include <pybind11/complex.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace py = pybind11;

namespace terzetto::coherence {

namespace {

template <class T>
using Array = py::array_t<T, py::array::c_style>;

template <class T>
void check(const Array<T>& array, const char* name, std::initializer_list<py::ssize_t> shape) {
    bool same = array.ndim() == static_cast<py::ssize_t>(shape.size());
    std::string valid;
    for (py::ssize_t i = 0; i < static_cast<py::ssize_t>(shape.size()); ++i) {
        same = same && array.shape(i) == shape.begin()[i];
        valid += (i ? ", " : "") + std::to_string(shape.begin()[i]);
    }
    if (!same) throw py::value_error(std::string(name) + " must have shape (" + valid + ")");
}

unsigned thread_count(int threads) {
    if (threads < 0) throw py::value_error("threads must be 0 (all cores) or more");
    return threads ? static_cast<unsigned>(threads) : std::max(1u, std::thread::hardware_concurrency());
}

void learn_advance(const Array<Sample>& X, const Array<float>& W, const Array<float>& H, float threshold,
                   Array<Sample>& turn, Array<float>& size, int threads) {
    if (X.ndim() != 2 || W.ndim() != 2) throw py::value_error("X must be frames x bins and W templates x bins");
    const auto frames = X.shape(0), bins = X.shape(1), rows = W.shape(0);
    check(W, "W", {rows, bins});
    check(H, "H", {rows, frames});
    check(turn, "turn", {rows, bins});
    check(size, "size", {rows, bins});
    const unsigned count = thread_count(threads);
    Sample* turn_out = turn.mutable_data();
    float* size_out = size.mutable_data();
    py::gil_scoped_release release;
    const auto activations =
        Activations::from_dense(H.data(), nullptr, static_cast<std::size_t>(rows), static_cast<std::size_t>(frames));
    learn(X.data(), {W.data(), nullptr, static_cast<std::size_t>(rows), static_cast<std::size_t>(bins)}, activations,
          threshold, turn_out, size_out, count);
}

void check_options(float correlation, float floor) {
    if (!(floor > 0.0f)) throw py::value_error("floor must be above 0");
    if (!(correlation >= 0.0f && correlation < 1.0f)) throw py::value_error("correlation must be in 0..1, below 1");
}

Array<Sample> split_left(const Array<Sample>& X, const Array<float>& W, const Array<Sample>& turning,
                         const Array<float>& H_left, const Array<float>& H_right, const Array<float>& gain,
                         float correlation, float floor, float surprise, float reach, int threads) {
    if (X.ndim() != 2 || W.ndim() != 2) throw py::value_error("X must be frames x bins and W templates x bins");
    const auto frames = X.shape(0), bins = X.shape(1), rows = W.shape(0);
    check(W, "W", {rows, bins});
    check(turning, "turning", {rows, bins});
    check(H_left, "H_left", {rows, frames});
    check(H_right, "H_right", {rows, frames});
    check(gain, "gain", {bins});
    check_options(correlation, floor);
    const unsigned count = thread_count(threads);
    Array<Sample> left({frames, bins});
    Sample* out = left.mutable_data();
    {
        py::gil_scoped_release release;
        const auto activations = Activations::from_dense(H_left.data(), H_right.data(), static_cast<std::size_t>(rows),
                                                         static_cast<std::size_t>(frames));
        split(X.data(), {W.data(), turning.data(), static_cast<std::size_t>(rows), static_cast<std::size_t>(bins)},
              activations, gain.data(), {correlation, floor, surprise, reach}, out, count);
    }
    return left;
}

std::unique_ptr<Filter> make_filter(const Array<float>& W, const Array<Sample>& turning, const Array<float>& gain,
                                    float correlation, float floor, float surprise) {
    if (W.ndim() != 2 || gain.ndim() != 2) throw py::value_error("W must be templates x bins, gain channels x bins");
    const auto rows = W.shape(0), bins = W.shape(1), channels = gain.shape(0);
    check(turning, "turning", {rows, bins});
    check(gain, "gain", {channels, bins});
    check_options(correlation, floor);
    const Templates templates{W.data(), turning.data(), static_cast<std::size_t>(rows), static_cast<std::size_t>(bins)};
    SplitOptions options;
    options.correlation = correlation;
    options.floor = floor;
    options.surprise = surprise;
    return std::make_unique<Filter>(templates, gain.data(), static_cast<std::size_t>(channels), options);
}

Array<Sample> filter_next(Filter& filter, const Array<Sample>& x, const Array<std::uint32_t>& rows,
                          const Array<float>& h_left, const Array<float>& h_right) {
    const auto channels = static_cast<py::ssize_t>(filter.channels()), bins = static_cast<py::ssize_t>(filter.bins());
    if (rows.ndim() != 1) throw py::value_error("rows must be one-dimensional");
    check(x, "x", {channels, bins});
    check(h_left, "h_left", {rows.shape(0)});
    check(h_right, "h_right", {rows.shape(0)});
    for (py::ssize_t i = 0; i < rows.shape(0); ++i)
        if (rows.data()[i] >= filter.rows()) throw py::value_error("rows names a template that is not there");
    Array<Sample> left({channels, bins});
    Sample* out = left.mutable_data();
    py::gil_scoped_release release;
    filter.next(x.data(), rows.data(), h_left.data(), h_right.data(), static_cast<std::size_t>(rows.shape(0)), out);
    return left;
}

} // namespace

PYBIND11_MODULE(_coherence, m) {
    m.doc() = "Two sources out of one spectrogram, by the phase advance of their templates. See coherence.hpp.";
    m.def("learn_advance", &learn_advance, py::arg("X").noconvert(), py::arg("W").noconvert(), py::arg("H").noconvert(),
          py::kw_only(), py::arg("threshold"), py::arg("turn").noconvert(), py::arg("size").noconvert(),
          py::arg("threads") = 0,
          "Add x[n] conj(x[n-1]) and its magnitude to `turn` and `size` (templates x bins) wherever a "
          "template that\n"
          "sounds in both frames makes up more than `threshold` of a bin. X: frames x bins, H: templates x "
          "frames.");
    m.def("split_left", &split_left, py::arg("X").noconvert(), py::arg("W").noconvert(), py::arg("turning").noconvert(),
          py::arg("H_left").noconvert(), py::arg("H_right").noconvert(), py::arg("gain").noconvert(), py::kw_only(),
          py::arg("correlation"), py::arg("floor"), py::arg("surprise") = 0.5f, py::arg("reach") = 0.5f,
          py::arg("threads") = 0,
          "Return the left source (frames x bins, complex64) of X; the right one is X minus it. `turning` is "
          "W times\n"
          "the templates' phase advance and its coherence; `gain` (bins) scales the templates to this "
          "channel.");
    py::class_<Filter>(
        m, "Filter",
        "The split of a stream, frame by frame and without looking ahead. W, turning: templates x bins;\n"
        "gain: channels x bins, scales the templates to each channel.")
        .def(py::init(&make_filter), py::arg("W").noconvert(), py::arg("turning").noconvert(),
             py::arg("gain").noconvert(), py::kw_only(), py::arg("correlation"), py::arg("floor"),
             py::arg("surprise") = 0.5f)
        .def("next", &filter_next, py::arg("x").noconvert(), py::arg("rows").noconvert(), py::arg("h_left").noconvert(),
             py::arg("h_right").noconvert(),
             "Return the left source of the next frame (channels x bins, complex64). `rows` (uint32) names the\n"
             "templates that sound, each once, h_left and h_right their activations.")
        .def("reset", &Filter::reset, "Forget the past.");
}

} // namespace terzetto::coherence
