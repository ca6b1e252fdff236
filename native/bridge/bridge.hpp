// SPDX-License-Identifier: GPL-3.0-or-later
// The bridge between a plugin and its engine: both ends of the shared segment. Both sides use this header.
//
//     HostEnd (plugin)                               EngineEnd (engine)
//     post(tag, audio, transport, events)   ->       wait(); front(); … respond(tag, audio, events); pop()
//     front(); pop()                        <-
//
// Functions marked TERZETTO_REALTIME may run on an audio thread: they neither allocate, lock, log nor wait, and make no
// system call beyond the wake.
#pragma once

#include "memory.hpp"
#include "segment.hpp"
#include "wake.hpp"

#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#define TERZETTO_REALTIME

namespace terzetto::bridge {

// A segment that is not there, of another version, or not one of ours; the message says which and what to do.
struct BridgeError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct RequestView {
    Tag tag;
    Transport transport;
    const float* audio; // channels x hop
    const std::uint8_t* events;
    std::uint32_t event_bytes;
};

struct ResponseView {
    Tag tag;
    const float* audio; // channels x (hop + kTail)
    const std::uint8_t* events;
    std::uint32_t event_bytes;
};

// The plugin's end. It makes the segment, owns its name and removes it.
class HostEnd {
public:
    // Makes and maps a segment, every page of the rings in memory. Throws BridgeError (no room, not allowed).
    static std::unique_ptr<HostEnd> create(const Format& format);
    ~HostEnd(); // close()

    const std::string& name() const;     // what the engine attaches to
    const Format& format() const;

    // Hands over a hop. False: the ring is full (the engine is kSlots hops behind), nothing was handed over.
    bool post(Tag tag, const float* const* audio, const Transport& transport, const std::uint8_t* events,
              std::uint32_t event_bytes) noexcept TERZETTO_REALTIME;
    // The oldest response not yet popped; false: none.
    bool front(ResponseView& view) noexcept TERZETTO_REALTIME;
    void pop() noexcept TERZETTO_REALTIME;
    std::uint32_t latency() const noexcept TERZETTO_REALTIME; // of the engine's processors, in frames
    bool ready() const noexcept TERZETTO_REALTIME;            // the engine serves hops

    // Not for the audio thread in real time: waits until a response lies there. False: timed out.
    bool wait_response(double seconds) noexcept;
    void beat() noexcept;
    double engine_silent_for() const noexcept; // seconds since the engine's last beat; infinity before the first
    std::uint64_t engine_pid() const noexcept; // 0 before it attached
    bool send_state(std::string_view text);    // false: the last one has not been taken yet, or no room
    std::optional<std::string> take_state();
    void close() noexcept; // tells the engine to end and removes the name; the mapping lives until destruction
};

// The engine's end.
class EngineEnd {
public:
    // Throws BridgeError: not there, another version, damaged.
    static std::unique_ptr<EngineEnd> attach(const std::string& name);

    const Format& format() const;
    bool wait(double seconds) noexcept; // until a request lies there or the host closed; false: timed out
    bool front(RequestView& view) noexcept;
    void pop() noexcept;
    // audio: channels x (hop + kTail), contiguous. Call before the request's pop().
    void respond(Tag tag, const float* audio, const std::uint8_t* events, std::uint32_t event_bytes) noexcept;
    void set_latency(std::uint32_t frames) noexcept;
    void set_ready(bool ready) noexcept;
    void beat() noexcept;
    bool host_alive() const noexcept; // not closed, its process is there (and is the same one)
    bool send_state(std::string_view text);
    std::optional<std::string> take_state();
};

// Removes the segments of hosts that are no more; returns their names.
std::vector<std::string> sweep();

} // namespace terzetto::bridge
