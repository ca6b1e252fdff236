// SPDX-License-Identifier: GPL-3.0-or-later
// The engine's end of the bridge.
#pragma once

#include "mailbox.hpp"
#include "mapped.hpp"
#include "wake.hpp"

#include <limits>
#include <memory>

namespace terzetto::bridge {

struct Probe; // the self-test's view inside

// A request in the ring: valid until pop().
struct RequestView {
    Tag tag;
    Transport transport;
    const float* audio; // channels x hop, planar
    const std::uint8_t* events;
    std::uint32_t event_bytes;
};

// One engine at a time serves a segment. One thread takes requests and responds; another may beat and carry states.
class EngineEnd {
public:
    // Throws BridgeError: not there, another version, damaged, closed, its host gone, or another living engine on it.
    static std::unique_ptr<EngineEnd> attach(const std::string& name) {
        return std::unique_ptr<EngineEnd>(new EngineEnd(Mapped::open(name)));
    }
    ~EngineEnd() { detach(); }
    EngineEnd(const EngineEnd&) = delete;
    EngineEnd& operator=(const EngineEnd&) = delete;

    const std::string& name() const noexcept { return mapped_.memory.name(); }
    const Format& format() const noexcept { return mapped_.format; }

    // Until a request lies there or the host closed; false: timed out.
    bool wait(double seconds) noexcept {
        Header& header = mapped_.header();
        return wait_until(header.bell, seconds, [&] {
            return header.requests_posted.load(std::memory_order_acquire) !=
                       header.requests_taken.load(std::memory_order_relaxed) ||
                   header.closed.load(std::memory_order_acquire) != 0;
        });
    }
    bool front(RequestView& view) noexcept TERZETTO_REALTIME {
        Header& header = mapped_.header();
        const std::uint32_t taken = header.requests_taken.load(std::memory_order_relaxed);
        const std::uint32_t there = header.requests_posted.load(std::memory_order_acquire) - taken;
        if (there == 0 || there > kSlots) return false;
        Request& slot = mapped_.request(taken);
        view = {slot.tag, slot.transport, Mapped::audio(slot), slot.events,
                slot.event_bytes < kEventBytes ? slot.event_bytes : kEventBytes};
        return true;
    }
    // Only after front() gave one.
    void pop() noexcept TERZETTO_REALTIME {
        Header& header = mapped_.header();
        const std::uint32_t taken = header.requests_taken.load(std::memory_order_relaxed);
        if (header.requests_posted.load(std::memory_order_relaxed) != taken)
            header.requests_taken.store(taken + 1, std::memory_order_release);
    }
    // audio: channels x (hop + kTail), contiguous. Call before the request's pop(). False: the host takes no responses
    // (the ring is full) or the events are longer than kEventBytes; nothing was handed over.
    bool respond(Tag tag, const float* audio, const std::uint8_t* events,
                 std::uint32_t event_bytes) noexcept TERZETTO_REALTIME {
        Header& header = mapped_.header();
        const std::uint32_t posted = header.responses_posted.load(std::memory_order_relaxed);
        // Acquire: the host has done reading the slot before it is written again.
        if (posted - header.responses_taken.load(std::memory_order_acquire) >= kSlots) return false;
        if (event_bytes > kEventBytes) return false;
        Response& slot = mapped_.response(posted);
        slot.tag = tag;
        slot.event_bytes = event_bytes;
        if (event_bytes) std::memcpy(slot.events, events, event_bytes);
        std::memcpy(Mapped::audio(slot), audio, sizeof(float) * mapped_.format.channels * (mapped_.format.hop + kTail));
        header.responses_posted.store(posted + 1, std::memory_order_release);
        wake(header.responses_posted);
        return true;
    }
    void set_latency(std::uint32_t frames) noexcept {
        mapped_.header().latency.store(frames, std::memory_order_release);
    }
    void set_ready(bool ready) noexcept { mapped_.header().ready.store(ready ? 1 : 0, std::memory_order_release); }
    void beat() noexcept { mapped_.header().engine_beat.store(now_nanoseconds(), std::memory_order_release); }
    // Not closed, and its process is there (and is the same one).
    bool host_alive() const noexcept {
        return mapped_.header().closed.load(std::memory_order_acquire) == 0 && process_alive(host_pid_, host_started_);
    }
    bool closed() const noexcept { return mapped_.header().closed.load(std::memory_order_acquire) != 0; }
    // Seconds since the host's last beat; infinity before the first. A host may stop beating while it lives (a dialog
    // in its way, a debugger): not a reason to end.
    double host_silent_for() const noexcept {
        const std::uint64_t beat = mapped_.header().host_beat.load(std::memory_order_acquire);
        if (beat == 0) return std::numeric_limits<double>::infinity();
        const std::uint64_t now = now_nanoseconds();
        return now > beat ? static_cast<double>(now - beat) * 1e-9 : 0.0;
    }
    // False: the last one has not been taken yet, it is longer than kMailboxBytes, or no room.
    bool send_state(std::string_view text) noexcept {
        return put_text(mapped_.memory, mapped_.header().to_host, mapped_.layout.to_host, text);
    }
    std::optional<std::string> take_state() {
        return take_text(mapped_.memory, mapped_.header().to_engine, mapped_.layout.to_engine);
    }
    // No longer ready; another engine may attach. The mapping lives until destruction.
    void detach() noexcept {
        if (this_process() != owner_ || !attached_) return; // a fork's copy: the parent serves on
        attached_ = false;
        set_ready(false);
        mapped_.header().engine_pid.store(0, std::memory_order_release);
    }

private:
    friend struct Probe;

    explicit EngineEnd(Mapped mapped) : mapped_(std::move(mapped)) {
        Header& header = mapped_.header();
        const std::string segment = "segment '" + name() + "'";
        host_pid_ = header.identity.host_pid;
        host_started_ = header.identity.host_started;
        if (closed()) throw BridgeError(segment + " was closed by its host; attach to the plugin's new one");
        if (!host_alive())
            throw BridgeError(segment + " belongs to process " + std::to_string(host_pid_) +
                              ", which has ended; the engine sweeps it away");
        // Only one engine may take from the rings; a dead one's place is free.
        std::uint64_t other = header.engine_pid.load(std::memory_order_acquire);
        do {
            if (process_alive(other, header.engine_started.load(std::memory_order_acquire)))
                throw BridgeError(segment + " is already served by engine process " + std::to_string(other) +
                                  "; it ends with its plugin, or end it");
            // Else, until ours is known, the dead one's start would make us look dead too.
            header.engine_started.store(0, std::memory_order_release);
            beat(); // before anyone sees the number: who has never beaten is taken for a hung engine and killed
        } while (!header.engine_pid.compare_exchange_weak(other, owner_, std::memory_order_acq_rel));
        header.engine_started.store(process_started(owner_), std::memory_order_release);
        set_ready(false);
        attached_ = true;
    }

    Mapped mapped_;
    std::uint64_t owner_ = this_process();
    std::uint64_t host_pid_ = 0, host_started_ = 0;
    bool attached_ = false;
};

} // namespace terzetto::bridge
