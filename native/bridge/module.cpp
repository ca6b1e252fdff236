// SPDX-License-Identifier: GPL-3.0-or-later
// Python's view of both ends. Waiting and long texts let other Python threads run meanwhile.
#include "bridge.hpp"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cmath>
#include <mutex>
#include <string>

namespace py = pybind11;

namespace terzetto::bridge {

namespace {

// Hops as Python sees them.
struct ResponseHop {
    std::uint32_t epoch, hop;
    py::object audio;
    py::bytes events;
};
struct RequestHop : ResponseHop {
    Transport transport;
};

// An end and what several Python threads need beside it.
template <class End>
struct Shared {
    std::unique_ptr<End> end;
    std::mutex texts{};

    End* operator->() const { return end.get(); }

    bool send_state(const std::string& text) {
        py::gil_scoped_release release;
        const std::lock_guard<std::mutex> lock(texts);
        return end->send_state(text);
    }

    py::object take_state() {
        std::optional<std::string> text;
        {
            py::gil_scoped_release release;
            const std::lock_guard<std::mutex> lock(texts);
            text = end->take_state();
        }
        if (!text) return py::none();
        PyObject* decoded = PyUnicode_DecodeUTF8(text->data(), static_cast<Py_ssize_t>(text->size()), nullptr);
        if (!decoded) {
            PyErr_Clear();
            throw BridgeError("the state taken from segment '" + end->name() +
                              "' is not UTF-8 text; save it anew from the plugin");
        }
        return py::reinterpret_steal<py::object>(decoded);
    }
};
using Host = Shared<HostEnd>;
using Engine = Shared<EngineEnd>;

// Channels x frames in the ring, to be read only; keeps `owner`, and with it the mapping.
py::object view_of(const float* audio, std::uint32_t channels, std::uint32_t frames, const py::object& owner) {
    py::array_t<float> view({static_cast<py::ssize_t>(channels), static_cast<py::ssize_t>(frames)}, audio, owner);
    py::detail::array_proxy(view.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
    return std::move(view);
}

const float* checked_audio(const py::array& audio, std::uint32_t channels, std::uint32_t frames) {
    const bool right = py::isinstance<py::array_t<float>>(audio) && (audio.flags() & py::array::c_style) &&
                       audio.ndim() == 2 && audio.shape(0) == channels && audio.shape(1) == frames;
    if (!right)
        throw py::value_error("audio must be float32, C-contiguous, of shape (" + std::to_string(channels) + ", " +
                              std::to_string(frames) + "), not " + py::str(audio.dtype()).cast<std::string>() + " of " +
                              py::str(audio.attr("shape")).cast<std::string>());
    return static_cast<const float*>(audio.data());
}

std::string_view checked_events(const py::bytes& events) {
    const std::string_view view(events);
    if (view.size() > kEventBytes)
        throw py::value_error("a hop carries " + std::to_string(kEventBytes) + " bytes of events at most, not " +
                              std::to_string(view.size()) + "; leave some to the next");
    return view;
}

// Waits in turns, so that Ctrl-C is heard.
template <class Wait>
bool wait_in_turns(double seconds, Wait wait) {
    constexpr double turn = 0.1;
    if (wait(0.0)) return true;
    const std::uint64_t start = now_nanoseconds();
    for (;;) {
        const double left = seconds - static_cast<double>(now_nanoseconds() - start) * 1e-9;
        if (!(left > 0.0)) return false;
        bool there;
        {
            py::gil_scoped_release release;
            there = wait(left < turn ? left : turn);
        }
        if (there) return true;
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    }
}

template <class View>
ResponseHop hop_of(const View& view, std::uint32_t channels, std::uint32_t frames, const py::object& owner) {
    return {view.tag.epoch, view.tag.hop, view_of(view.audio, channels, frames, owner),
            py::bytes(reinterpret_cast<const char*>(view.events), view.event_bytes)};
}

py::object engine_front(const py::object& self) {
    Engine& engine = self.cast<Engine&>();
    RequestView view{};
    if (!engine->front(view)) return py::none();
    const Format& format = engine->format();
    return py::cast(RequestHop{hop_of(view, format.channels, format.hop, self), view.transport});
}

py::object host_front(const py::object& self) {
    Host& host = self.cast<Host&>();
    ResponseView view{};
    if (!host->front(view)) return py::none();
    const Format& format = host->format();
    return py::cast(hop_of(view, format.channels, format.hop + kTail, self));
}

bool engine_respond(Engine& engine, std::uint32_t epoch, std::uint32_t hop, const py::array& audio,
                    const py::bytes& events) {
    const Format& format = engine->format();
    const float* samples = checked_audio(audio, format.channels, format.hop + kTail);
    const std::string_view bytes = checked_events(events);
    return engine->respond({epoch, hop}, samples, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                           static_cast<std::uint32_t>(bytes.size()));
}

bool host_post(Host& host, std::uint32_t epoch, std::uint32_t hop, const py::array& audio,
               std::optional<std::int64_t> position, std::optional<double> quarters, double tempo, bool playing,
               bool offline, const py::bytes& events) {
    const Format& format = host->format();
    const float* samples = checked_audio(audio, format.channels, format.hop);
    const std::string_view bytes = checked_events(events);
    const float* channels[kMaxChannels] = {samples, samples + (format.channels - 1) * format.hop};
    const Transport transport{position.value_or(0), tempo,   playing,
                              position.has_value(), offline, quarters.value_or(Transport{}.quarters)};
    return host->post({epoch, hop}, channels, transport, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                      static_cast<std::uint32_t>(bytes.size()));
}

void define_values(py::module_& m) {
    py::class_<Format>(m, "Format", "What an instance runs at; fixed for the life of a segment.")
        .def_readonly("sample_rate", &Format::sample_rate)
        .def_readonly("channels", &Format::channels)
        .def_readonly("hop", &Format::hop)
        .def_property_readonly("realtime", [](const Format& f) { return f.realtime != 0; })
        .def("__repr__", [](const Format& f) {
            return "Format(sample_rate=" + py::repr(py::float_(f.sample_rate)).cast<std::string>() +
                   ", channels=" + std::to_string(f.channels) + ", hop=" + std::to_string(f.hop) +
                   ", realtime=" + (f.realtime ? "True)" : "False)");
        });
    py::class_<ResponseHop>(m, "Response", "A hop that came back; `audio` is a view that pop() ends.")
        .def_readonly("epoch", &ResponseHop::epoch)
        .def_readonly("hop", &ResponseHop::hop)
        .def_readonly("audio", &ResponseHop::audio)
        .def_readonly("events", &ResponseHop::events);
    py::class_<RequestHop>(m, "Request", "A hop to be answered; `audio` is a view that pop() ends.")
        .def_readonly("epoch", &RequestHop::epoch)
        .def_readonly("hop", &RequestHop::hop)
        .def_readonly("audio", &RequestHop::audio)
        .def_readonly("events", &RequestHop::events)
        .def_property_readonly("position", [](const RequestHop& h) { return h.transport.position; })
        .def_property_readonly("quarters",
                               [](const RequestHop& h) -> std::optional<double> {
                                   if (std::isnan(h.transport.quarters)) return std::nullopt;
                                   return h.transport.quarters;
                               })
        .def_property_readonly("playing", [](const RequestHop& h) { return h.transport.playing != 0; })
        .def_property_readonly("tempo", [](const RequestHop& h) { return h.transport.tempo; })
        .def_property_readonly("known", [](const RequestHop& h) { return h.transport.known != 0; })
        .def_property_readonly("offline", [](const RequestHop& h) { return h.transport.offline != 0; });
}

void define_engine(py::module_& m) {
    py::class_<Engine>(m, "EngineEnd", "The engine's end of a segment. One engine at a time serves it.")
        .def_static(
            "attach",
            [](const std::string& name) { return std::unique_ptr<Engine>(new Engine{EngineEnd::attach(name)}); },
            py::arg("name"))
        .def_property_readonly("name", [](const Engine& e) { return e->name(); })
        .def_property_readonly("format", [](const Engine& e) { return e->format(); })
        .def(
            "wait",
            [](Engine& e, double seconds) {
                return wait_in_turns(seconds, [&](double turn) { return e->wait(turn); });
            },
            py::arg("seconds"))
        .def("front", &engine_front)
        .def("pop", [](Engine& e) { e->pop(); })
        .def("respond", &engine_respond, py::arg("epoch"), py::arg("hop"), py::arg("audio"),
             py::arg("events") = py::bytes())
        .def(
            "set_latency", [](Engine& e, std::uint32_t frames) { e->set_latency(frames); }, py::arg("frames"))
        .def(
            "set_ready", [](Engine& e, bool ready) { e->set_ready(ready); }, py::arg("ready"))
        .def("beat", [](Engine& e) { e->beat(); })
        .def("host_alive", [](const Engine& e) { return e->host_alive(); })
        .def("host_silent_for", [](const Engine& e) { return e->host_silent_for(); })
        .def_property_readonly("closed", [](const Engine& e) { return e->closed(); })
        .def("send_state", &Engine::send_state, py::arg("text"))
        .def("take_state", &Engine::take_state)
        .def("detach", [](Engine& e) { e->detach(); });
}

void define_host(py::module_& m) {
    py::class_<Host>(m, "HostEnd", "The host's end: makes the segment, owns its name and removes it.")
        .def_static(
            "create",
            [](double sample_rate, std::uint32_t channels, std::uint32_t hop, bool realtime) {
                return std::unique_ptr<Host>(new Host{HostEnd::create({sample_rate, channels, hop, realtime})});
            },
            py::arg("sample_rate") = 48000.0, py::arg("channels") = 2, py::arg("hop") = 512, py::kw_only(),
            py::arg("realtime") = true)
        .def_property_readonly("name", [](const Host& h) { return h->name(); })
        .def_property_readonly("format", [](const Host& h) { return h->format(); })
        .def("post", &host_post, py::arg("epoch"), py::arg("hop"), py::arg("audio"), py::kw_only(),
             py::arg("position") = py::none(), py::arg("quarters") = py::none(), py::arg("tempo") = 0.0,
             py::arg("playing") = false, py::arg("offline") = false, py::arg("events") = py::bytes())
        .def("front", &host_front)
        .def("pop", [](Host& h) { h->pop(); })
        .def(
            "wait_response",
            [](Host& h, double seconds) {
                return wait_in_turns(seconds, [&](double turn) { return h->wait_response(turn); });
            },
            py::arg("seconds"))
        .def_property_readonly("latency", [](const Host& h) { return h->latency(); })
        .def_property_readonly("ready", [](const Host& h) { return h->ready(); })
        .def("beat", [](Host& h) { h->beat(); })
        .def("engine_silent_for", [](const Host& h) { return h->engine_silent_for(); })
        .def_property_readonly("engine_pid", [](const Host& h) { return h->engine_pid(); })
        .def("engine_alive", [](const Host& h) { return h->engine_alive(); })
        .def("send_state", &Host::send_state, py::arg("text"))
        .def("take_state", &Host::take_state)
        .def("close", [](Host& h) { h->close(); });
}

} // namespace

PYBIND11_MODULE(_bridge, m) {
    m.doc() = "The shared memory between a plugin and its engine, both ends. See bridge.hpp.";
    const py::object base = py::module_::import("terzetto.errors").attr("TerzettoError");
    py::register_exception<BridgeError>(m, "BridgeError", base).attr("__doc__") =
        "A segment that is not there, of another version, or damaged.";
    m.attr("VERSION") = kVersion;
    m.attr("SLOTS") = kSlots;
    m.attr("TAIL") = kTail;
    m.attr("MAX_CHANNELS") = kMaxChannels;
    m.attr("MAX_HOP") = kMaxHop;
    m.attr("EVENT_BYTES") = kEventBytes;
    m.attr("MAILBOX_BYTES") = kMailboxBytes;
    define_values(m);
    define_engine(m);
    define_host(m);
    m.def(
        "exists",
        [](const std::string& name) {
            try {
                Memory::open(name);
                return true;
            } catch (const BridgeError&) {
                return false;
            }
        },
        py::arg("name"), "Whether a segment of this name is there; a host that closes its own removes the name.");
    m.def(
        "sweep",
        [] {
            py::gil_scoped_release release;
            return sweep();
        },
        "Remove the segments of hosts that are no more; return their names.");
}

} // namespace terzetto::bridge
