// SPDX-License-Identifier: GPL-3.0-or-later
// Python's view: checks shapes and types, copies nothing but the results, releases the interpreter meanwhile.
#include "dispatch.hpp"
#include "factorisation.hpp"

#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cmath>
#include <string>

namespace py = pybind11;

namespace terzetto {

namespace {

constexpr const char* kNmfDoc = R"(Factorise V ~ W H by multiplicative updates (table 2.1 of the thesis), H first.

Euclidean: H *= (W^T V) / (W^T W H + eps), then W *= (V H^T) / (W H H^T + eps).
KL:        H *= (W^T (V / (W H + eps))) / (W^T 1 + eps), then W *= ((V / (W H + eps)) H^T) / (1 H^T + eps).

V is frame-major (frames x bins), W has a row per template (templates x bins), H is templates x frames; all float32,
C-contiguous, nonnegative. Zeros stay zeros, and the zeros of H are the activation mask: cost follows the others.
With eps = 0 only zero denominators are guarded (such an entry, which cannot reach the reconstruction, stays as it
is), and the loss never rises. Returns new arrays (W, H, losses); with update_templates=False, W is the given array
and a frame's result does not depend on the other frames. losses[i] belongs to iteration (i + 1) * loss_interval
(the last one to the last). `progress(done, total)` may return False to stop early.)";

constexpr const char* kNaeDoc =
    R"(Train the nonnegative autoencoder V ~ W_D H', H' = M o (W_E V) (table 3.1), W_D first.

Euclidean: W_D *= (V H'^T) / (W_D H' H'^T + eps), then
           W_E *= ((W_D^T V o M) V^T) / ((W_D^T W_D H' o M) V^T + eps), then H' = M o (W_E V).
KL:        W_D *= ((V / (W_D H' + eps)) H'^T) / (1 H'^T + eps), then
           W_E *= ((W_D^T (V / (W_D H' + eps)) o M) V^T) / ((W_D^T 1 o M) V^T + eps), then H' = M o (W_E V).

W_E and W_D both have a row per template (templates x bins), M is a bool or uint8 mask, templates x frames.
Returns new arrays (W_E, W_D, H', losses). See nmf for the rest.)";

constexpr const char* kEncodeDoc = "H' = M o (W_E V), feed-forward (equation 3.4 with mask); templates x frames.";

constexpr const char* kFitEncoderDoc =
    R"(Fit a nonnegative encoder to activations found otherwise: W_E, a row per template.

Row r starts from its template's mean share of each bin, W_r o (H_r (V / W H)) / (M_r V), and takes `iterations` steps
w *= (D^T h) / (D^T D w) towards min ||h - D w||^2: h are the row's nonzero activations (256 of them, evenly chosen, if
there are more), D these frames of V in the bins whose weight is more than a hundredth of the row's greatest.
`progress(done, total)` counts rows. See nmf for the rest.)";

std::string shape_text(const py::array& a) {
    std::string text = "(";
    for (py::ssize_t i = 0; i < a.ndim(); ++i) text += (i ? ", " : "") + std::to_string(a.shape(i));
    return text + (a.ndim() == 1 ? ",)" : ")");
}

std::string text(std::size_t n) {
    return std::to_string(n);
}

// A two-dimensional C-contiguous array of T, or an error that says what came and what is valid.
template <class T>
void check(const py::array& a, const char* name, const char* meaning, const char* type_name, bool type_ok) {
    if (!type_ok)
        throw py::value_error(std::string(name) + " has dtype " + py::str(a.dtype()).cast<std::string>() +
                              "; it must be " + type_name);
    if (a.ndim() != 2)
        throw py::value_error(std::string(name) + " has shape " + shape_text(a) + "; it must be " + meaning);
    if (!(a.flags() & py::array::c_style) || reinterpret_cast<std::uintptr_t>(a.data()) % alignof(T))
        throw py::value_error(std::string(name) + " is not C-contiguous; pass numpy.ascontiguousarray(" + name + ")");
}

const float* floats(const py::array& a, const char* name, const char* meaning) {
    check<float>(a, name, meaning, "float32", py::isinstance<py::array_t<float>>(a));
    return static_cast<const float*>(a.data());
}

const std::uint8_t* mask_bytes(const py::array& a) {
    check<std::uint8_t>(a, "M", "(templates, frames)", "bool or uint8",
                        py::isinstance<py::array_t<bool>>(a) || py::isinstance<py::array_t<std::uint8_t>>(a));
    return static_cast<const std::uint8_t*>(a.data());
}

void expect_shape(const py::array& a, const char* name, std::size_t rows, std::size_t columns, const char* meaning) {
    if (static_cast<std::size_t>(a.shape(0)) == rows && static_cast<std::size_t>(a.shape(1)) == columns) return;
    throw py::value_error(std::string(name) + " has shape " + shape_text(a) + "; it must be (" + text(rows) + ", " +
                          text(columns) + ") " + meaning);
}

Signal signal_of(const py::array& v) {
    const float* data = floats(v, "V", "(frames, bins)");
    return {data, static_cast<std::size_t>(v.shape(0)), static_cast<std::size_t>(v.shape(1))};
}

template <class T>
void expect_least(const char* name, T value, T least) {
    if (value < least)
        throw py::value_error(std::string(name) + " is " + std::to_string(value) + "; it must be at least " +
                              std::to_string(least));
}

// Called between iterations, without the interpreter lock: honours Ctrl-C, then asks the caller's function.
std::function<bool(int, int)> reporter(const py::object& progress) {
    return [&progress](int done, int total) {
        const py::gil_scoped_acquire lock;
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
        if (progress.is_none()) return true;
        const py::object answer = progress(done, total);
        return answer.is_none() || answer.cast<bool>();
    };
}

struct Settings {
    int iterations;
    std::string loss;
    float eps;
    int threads;
    int loss_interval;
    py::object progress;
    int progress_interval;
    std::string simd;
};

const InnerLoops& level(const std::string& name) {
    try {
        return level_named(name);
    } catch (const std::invalid_argument& e) {
        throw py::value_error(e.what());
    }
}

Options options_of(const Settings& s) {
    expect_least("iterations", s.iterations, 0);
    expect_least("threads", s.threads, 0);
    expect_least("loss_interval", s.loss_interval, 0);
    expect_least("progress_interval", s.progress_interval, 1);
    if (s.loss != "euclidean" && s.loss != "kl")
        throw py::value_error("loss is '" + s.loss + "'; it must be 'euclidean' or 'kl'");
    if (!(s.eps >= 0.0f) || !std::isfinite(s.eps))
        throw py::value_error("eps is " + std::to_string(s.eps) + "; it must be finite and not negative");
    if (!s.progress.is_none() && !PyCallable_Check(s.progress.ptr()))
        throw py::value_error("progress is not callable; it must be None or a function of (done, total)");
    Options options;
    options.iterations = s.iterations;
    options.loss = s.loss == "kl" ? Loss::kl : Loss::euclidean;
    options.eps = s.eps;
    options.threads = s.threads;
    options.loss_interval = s.loss_interval;
    options.progress_interval = s.progress_interval;
    options.progress = reporter(s.progress);
    options.loops = &level(s.simd);
    return options;
}

py::array_t<float> owned(AlignedFloats&& floats, std::size_t rows, std::size_t columns) {
    AlignedFloats* storage = new AlignedFloats(std::move(floats));
    const py::capsule owner(storage, [](void* p) { delete static_cast<AlignedFloats*>(p); });
    return py::array_t<float>(std::vector<std::size_t>{rows, columns}, storage->data(), owner);
}

py::array_t<float> taken(TemplateRows&& rows) {
    const std::size_t count = rows.rows(), columns = rows.columns();
    return owned(std::move(rows).compacted(), count, columns);
}

py::array_t<float> zeros(std::size_t rows, std::size_t columns) {
    return owned(AlignedFloats(rows * columns), rows, columns);
}

py::array_t<double> curve(const std::vector<double>& losses) {
    return py::array_t<double>(static_cast<py::ssize_t>(losses.size()), losses.data());
}

py::tuple py_nmf(const py::array& v, const py::array& w, const py::array& h, int iterations, const std::string& loss,
                 bool update_templates, float eps, int threads, int loss_interval, const py::object& progress,
                 int progress_interval, const std::string& simd) {
    const Signal signal = signal_of(v);
    const float* w_in = floats(w, "W", "(templates, bins)");
    const float* h_in = floats(h, "H", "(templates, frames)");
    const std::size_t templates = static_cast<std::size_t>(w.shape(0));
    expect_shape(w, "W", templates, signal.bins, "(templates, bins) to go with V");
    expect_shape(h, "H", templates, signal.frames, "(templates, frames) to go with W and V");
    const Settings settings{iterations, loss, eps, threads, loss_interval, progress, progress_interval, simd};
    Options options = options_of(settings);
    options.update_templates = update_templates;
    py::array_t<float> h_out = zeros(templates, signal.frames);
    float* h_data = h_out.mutable_data();
    std::vector<double> losses;
    TemplateRows rows;
    {
        const py::gil_scoped_release unlocked;
        if (update_templates) {
            rows = TemplateRows::copied(w_in, templates, signal.bins);
            losses = nmf(signal, rows, h_in, h_data, options);
        } else {
            losses = nmf_fixed(signal, w_in, templates, h_in, h_data, options);
        }
    }
    if (update_templates) return py::make_tuple(taken(std::move(rows)), h_out, curve(losses));
    return py::make_tuple(w, h_out, curve(losses));
}

py::tuple py_nae(const py::array& v, const py::array& w_e, const py::array& w_d, const py::array& m, int iterations,
                 const std::string& loss, float eps, int threads, int loss_interval, const py::object& progress,
                 int progress_interval, const std::string& simd) {
    const Signal signal = signal_of(v);
    const float* encoder_in = floats(w_e, "W_E", "(templates, bins)");
    const float* decoder_in = floats(w_d, "W_D", "(templates, bins)");
    const std::uint8_t* mask = mask_bytes(m);
    const std::size_t templates = static_cast<std::size_t>(w_e.shape(0));
    expect_shape(w_e, "W_E", templates, signal.bins, "(templates, bins) to go with V");
    expect_shape(w_d, "W_D", templates, signal.bins, "(templates, bins) to go with W_E and V");
    expect_shape(m, "M", templates, signal.frames, "(templates, frames) to go with W_E and V");
    const Settings settings{iterations, loss, eps, threads, loss_interval, progress, progress_interval, simd};
    const Options options = options_of(settings);
    std::vector<double> losses;
    TemplateRows encoder, decoder;
    AlignedFloats h;
    {
        const py::gil_scoped_release unlocked;
        encoder = TemplateRows::copied(encoder_in, templates, signal.bins);
        decoder = TemplateRows::copied(decoder_in, templates, signal.bins);
        losses = nae(signal, encoder, decoder, mask, h, options);
    }
    return py::make_tuple(taken(std::move(encoder)), taken(std::move(decoder)),
                          owned(std::move(h), templates, signal.frames), curve(losses));
}

py::array_t<float> py_encode(const py::array& v, const py::array& w_e, const py::array& m, int threads,
                             const std::string& simd) {
    const Signal signal = signal_of(v);
    const float* encoder = floats(w_e, "W_E", "(templates, bins)");
    const std::uint8_t* mask = mask_bytes(m);
    const std::size_t templates = static_cast<std::size_t>(w_e.shape(0));
    expect_shape(w_e, "W_E", templates, signal.bins, "(templates, bins) to go with V");
    expect_shape(m, "M", templates, signal.frames, "(templates, frames) to go with W_E and V");
    expect_least("threads", threads, 0);
    const InnerLoops& loops = level(simd);
    py::array_t<float> h_out = zeros(templates, signal.frames);
    float* h_data = h_out.mutable_data();
    {
        const py::gil_scoped_release unlocked;
        encode(signal, encoder, templates, mask, h_data, loops, threads);
    }
    return h_out;
}

py::array_t<float> py_fit_encoder(const py::array& v, const py::array& w, const py::array& h, int iterations,
                                  int threads, const py::object& progress, int progress_interval,
                                  const std::string& simd) {
    const Signal signal = signal_of(v);
    const float* w_in = floats(w, "W", "(templates, bins)");
    const float* h_in = floats(h, "H", "(templates, frames)");
    const std::size_t templates = static_cast<std::size_t>(w.shape(0));
    expect_shape(w, "W", templates, signal.bins, "(templates, bins) to go with V");
    expect_shape(h, "H", templates, signal.frames, "(templates, frames) to go with W and V");
    const Settings settings{iterations, "euclidean", 0.0f, threads, 0, progress, progress_interval, simd};
    const Options options = options_of(settings);
    py::array_t<float> encoder = zeros(templates, signal.bins);
    float* out = encoder.mutable_data();
    {
        const py::gil_scoped_release unlocked;
        fit_encoder(signal, w_in, templates, h_in, out, options);
    }
    return encoder;
}

std::vector<std::string> simd_levels() {
    std::vector<std::string> names;
    for (const InnerLoops* loops : supported_levels()) names.emplace_back(loops->name);
    return names;
}

} // namespace

PYBIND11_MODULE(_kernel, m) {
    m.doc() = "Masked multiplicative factorisation: NMF and the nonnegative autoencoder.";
    m.def("nmf", &py_nmf, kNmfDoc, py::arg("V"), py::arg("W"), py::arg("H"), py::kw_only(), py::arg("iterations"),
          py::arg("loss") = "euclidean", py::arg("update_templates") = true, py::arg("eps") = 0.0f,
          py::arg("threads") = 0, py::arg("loss_interval") = 1, py::arg("progress") = py::none(),
          py::arg("progress_interval") = 5, py::arg("simd") = "");
    m.def("nae", &py_nae, kNaeDoc, py::arg("V"), py::arg("W_E"), py::arg("W_D"), py::arg("M"), py::kw_only(),
          py::arg("iterations"), py::arg("loss") = "euclidean", py::arg("eps") = 0.0f, py::arg("threads") = 0,
          py::arg("loss_interval") = 1, py::arg("progress") = py::none(), py::arg("progress_interval") = 5,
          py::arg("simd") = "");
    m.def("encode", &py_encode, kEncodeDoc, py::arg("V"), py::arg("W_E"), py::arg("M"), py::kw_only(),
          py::arg("threads") = 0, py::arg("simd") = "");
    m.def("fit_encoder", &py_fit_encoder, kFitEncoderDoc, py::arg("V"), py::arg("W"), py::arg("H"), py::kw_only(),
          py::arg("iterations"), py::arg("threads") = 0, py::arg("progress") = py::none(),
          py::arg("progress_interval") = 16, py::arg("simd") = "");
    m.def("simd_levels", &simd_levels,
          "The instruction levels compiled in and supported by this machine, the fastest (the default) last.");
}

} // namespace terzetto
