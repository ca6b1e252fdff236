// SPDX-License-Identifier: GPL-3.0-or-later
// The plugin's end of the bridge.
#pragma once

#include "mailbox.hpp"
#include "mapped.hpp"
#include "wake.hpp"

#include <limits>
#include <memory>

namespace terzetto::bridge {

struct Probe; // the self-test's view inside

// A response in the ring: valid until pop().
struct ResponseView {
    Tag tag;
    const float* audio; // channels x (hop + kTail), planar
    const std::uint8_t* events;
    std::uint32_t event_bytes;
};

// Makes the segment, owns its name and removes it. One thread posts and reads responses; the keeper's thread may do the
// rest meanwhile.
class HostEnd {
public:
    // Makes and maps a segment, every page of the rings in memory. Throws BridgeError (no room, not allowed).
    static std::unique_ptr<HostEnd> create(const Format& format) {
        return std::unique_ptr<HostEnd>(new HostEnd(Mapped::create(format)));
    }
    ~HostEnd() { close(); }
    HostEnd(const HostEnd&) = delete;
    HostEnd& operator=(const HostEnd&) = delete;

    const std::string& name() const noexcept { return mapped_.memory.name(); } // what the engine attaches to
    const Format& format() const noexcept { return mapped_.format; }

    // Hands over a hop: channels pointers to `hop` frames each. False: the ring is full (the engine is kSlots hops
    // behind) or the events are longer than kEventBytes; nothing was handed over.
    // Have kSlots hops under way at most, counted from post to pop: a response that finds its ring full is lost.
    bool post(Tag tag, const float* const* audio, const Transport& transport, const std::uint8_t* events,
              std::uint32_t event_bytes) noexcept TERZETTO_REALTIME {
        Header& header = mapped_.header();
        const std::uint32_t posted = header.requests_posted.load(std::memory_order_relaxed);
        // Acquire: the engine has done reading the slot before it is written again.
        if (posted - header.requests_taken.load(std::memory_order_acquire) >= kSlots) return false;
        if (event_bytes > kEventBytes) return false;
        Request& slot = mapped_.request(posted);
        slot.tag = tag;
        slot.transport = transport;
        slot.event_bytes = event_bytes;
        if (event_bytes) std::memcpy(slot.events, events, event_bytes);
        float* to = Mapped::audio(slot);
        for (std::uint32_t channel = 0; channel < mapped_.format.channels; ++channel, to += mapped_.format.hop)
            std::memcpy(to, audio[channel], sizeof(float) * mapped_.format.hop);
        header.requests_posted.store(posted + 1, std::memory_order_release);
        ring();
        return true;
    }

    // The oldest response not yet popped; false: none.
    bool front(ResponseView& view) noexcept TERZETTO_REALTIME {
        Header& header = mapped_.header();
        const std::uint32_t taken = header.responses_taken.load(std::memory_order_relaxed);
        const std::uint32_t there = header.responses_posted.load(std::memory_order_acquire) - taken;
        if (there == 0 || there > kSlots) return false;
        Response& slot = mapped_.response(taken);
        view = {slot.tag, Mapped::audio(slot), slot.events,
                slot.event_bytes < kEventBytes ? slot.event_bytes : kEventBytes};
        return true;
    }
    // Only after front() gave one.
    void pop() noexcept TERZETTO_REALTIME {
        Header& header = mapped_.header();
        const std::uint32_t taken = header.responses_taken.load(std::memory_order_relaxed);
        if (header.responses_posted.load(std::memory_order_relaxed) != taken)
            header.responses_taken.store(taken + 1, std::memory_order_release);
    }

    // Of the engine's processors, in frames.
    std::uint32_t latency() const noexcept TERZETTO_REALTIME {
        return mapped_.header().latency.load(std::memory_order_acquire);
    }
    // The engine serves hops.
    bool ready() const noexcept TERZETTO_REALTIME {
        return mapped_.header().ready.load(std::memory_order_acquire) != 0;
    }

    // Not for the audio thread in real time: waits until a response lies there. False: timed out.
    bool wait_response(double seconds) noexcept {
        Header& header = mapped_.header();
        return wait_until(header.responses_posted, seconds, [&] {
            return header.responses_posted.load(std::memory_order_acquire) !=
                   header.responses_taken.load(std::memory_order_relaxed);
        });
    }
    void beat() noexcept { mapped_.header().host_beat.store(now_nanoseconds(), std::memory_order_release); }
    // Seconds since the engine's last beat; infinity before the first.
    double engine_silent_for() const noexcept {
        const std::uint64_t beat = mapped_.header().engine_beat.load(std::memory_order_acquire);
        if (beat == 0) return std::numeric_limits<double>::infinity();
        const std::uint64_t now = now_nanoseconds();
        return now > beat ? static_cast<double>(now - beat) * 1e-9 : 0.0;
    }
    // 0 before it attached and after it left.
    std::uint64_t engine_pid() const noexcept { return mapped_.header().engine_pid.load(std::memory_order_acquire); }
    // Attached, and its process is there (though it may be stopped). Tells a killed engine before its beat is missed.
    bool engine_alive() const noexcept {
        return process_alive(engine_pid(), mapped_.header().engine_started.load(std::memory_order_acquire));
    }
    // False: the last one has not been taken yet, it is longer than kMailboxBytes, or no room.
    bool send_state(std::string_view text) noexcept {
        return put_text(mapped_.memory, mapped_.header().to_engine, mapped_.layout.to_engine, text);
    }
    std::optional<std::string> take_state() {
        return take_text(mapped_.memory, mapped_.header().to_host, mapped_.layout.to_host);
    }
    // Tells the engine to end and removes the name; the mapping lives until destruction.
    void close() noexcept {
        if (this_process() != owner_) return; // a fork's copy: the segment is the parent's
        if (mapped_.header().closed.exchange(1, std::memory_order_acq_rel) != 0) return;
        ring();
        mapped_.memory.unlink();
    }

private:
    friend struct Probe;
    explicit HostEnd(Mapped mapped) : mapped_(std::move(mapped)) {}

    void ring() noexcept TERZETTO_REALTIME {
        std::atomic<std::uint32_t>& bell = mapped_.header().bell;
        bell.fetch_add(1, std::memory_order_release);
        wake(bell);
    }

    Mapped mapped_;
    std::uint64_t owner_ = this_process();
};

} // namespace terzetto::bridge
