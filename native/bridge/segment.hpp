// SPDX-License-Identifier: GPL-3.0-or-later
// What lies in the memory that a plugin and its engine share, and who writes what.
//
// Two rings of slots, one producer and one consumer each: requests (host -> engine: a hop of audio, its events, the
// transport) and responses (engine -> host). A counter that only its owner writes says how far each side has come;
// a store with release after the slot is written, a load with acquire before it is read. A slot is never written while
// it may be read, so a hop is whole or absent. Every hop carries its tag (epoch, number): what is late, skipped or from
// before a reset has another tag than the one that is waited for, and counts as a miss.
//
// Beside the rings two mailboxes hold one long text each (the state of an instance), handed over outside the audio
// thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace terzetto::bridge {

constexpr char kMagic[8] = {'T', 'E', 'R', 'Z', 'E', 'T', 'T', 'O'};
constexpr std::uint32_t kVersion = 3; // of this layout: segments of another one are refused
constexpr std::uint32_t kSlots = 64;  // hops under way at most: blocks of 8192 frames, hops of 256, twice
constexpr std::uint32_t kTail = 64;   // frames that a response carries beyond its hop, to fade out on
constexpr std::uint32_t kMaxChannels = 2;
constexpr std::uint32_t kMaxHop = 8192;
constexpr std::uint32_t kEventBytes = 16384; // of a hop
constexpr std::uint64_t kMailboxBytes = 12u << 20;
constexpr std::size_t kPage = 4096;

// Counters run over: a slot is its counter modulo kSlots.
static_assert((kSlots & (kSlots - 1)) == 0, "a power of two");

static_assert(std::atomic<std::uint32_t>::is_always_lock_free && std::atomic<std::uint64_t>::is_always_lock_free,
              "the counters are shared by processes");

// What an instance runs at; fixed for the life of a segment.
struct Format {
    double sample_rate = 48000.0;
    std::uint32_t channels = 2; // 1 or 2
    std::uint32_t hop = 512;    // frames, 32..kMaxHop
    std::uint32_t realtime = 1; // 0: the host waits for every hop
};

// Which hop this is. The epoch rises with every reset of the stream; hops count from 0 in each.
struct Tag {
    std::uint32_t epoch = 0;
    std::uint32_t hop = 0;
    bool operator==(const Tag& other) const { return epoch == other.epoch && hop == other.hop; }
    bool operator!=(const Tag& other) const { return !(*this == other); }
};

// The host's song position at a hop's first frame.
struct Transport {
    std::int64_t position = 0; // in frames
    double tempo = 0.0;        // beats a minute; 0: unknown
    std::uint32_t playing = 0;
    std::uint32_t known = 0;                                    // 0: the host told no position
    std::uint32_t offline = 0;                                  // 1: the host waits for this hop, however long it takes
    double quarters = std::numeric_limits<double>::quiet_NaN(); // the same position in quarter notes; NaN: not told
};

// Heads of the slots. Audio follows, planar float32: requests hold channels x hop, responses channels x (hop + kTail).
// A response to hop h holds the stream from kTail frames before the hop's first frame on: its first `hop` frames are
// to be played, the kTail behind them are what would come next.
// Events are OSC bundles, each after its size (32 bits, this machine's byte order); a bundle's time tag is the frame
// within the hop.
struct alignas(64) Request {
    Tag tag;
    Transport transport;
    std::uint32_t event_bytes;
    std::uint8_t events[kEventBytes];
};

struct alignas(64) Response {
    Tag tag;
    std::uint32_t event_bytes;
    std::uint8_t events[kEventBytes];
};

struct alignas(64) Mailbox {
    std::atomic<std::uint32_t> written; // one more than `taken`: a text waits
    std::atomic<std::uint32_t> taken;
    std::atomic<std::uint64_t> bytes;
    // kMailboxBytes follow, page-aligned, elsewhere in the segment.
};

// What a segment says of itself. Never changes once it is made.
struct Identity {
    std::uint32_t version, slots;
    std::uint64_t bytes; // of the whole segment
    Format format;
    std::uint64_t host_pid, host_started; // the latter tells a process number used again
};

struct Header {
    std::atomic<std::uint64_t> magic; // kMagic's bytes, written last. Here and in every version, then the version
    Identity identity;
    // Written by the host:
    alignas(64) std::atomic<std::uint32_t> requests_posted;
    std::atomic<std::uint32_t> responses_taken;
    std::atomic<std::uint32_t> closed;    // 1: the host has gone from this segment; the engine ends
    std::atomic<std::uint32_t> bell;      // rises with every request and when the segment closes; wakes the engine
    std::atomic<std::uint64_t> host_beat; // monotonic, nanoseconds
    // Written by the engine:
    alignas(64) std::atomic<std::uint32_t> requests_taken;
    std::atomic<std::uint32_t> responses_posted; // wakes the host
    std::atomic<std::uint32_t> latency;          // of the processors, in frames
    std::atomic<std::uint32_t> ready;            // 1: attached, state restored, hops are being served
    std::atomic<std::uint64_t> engine_pid, engine_started;
    std::atomic<std::uint64_t> engine_beat; // monotonic, nanoseconds
    Mailbox to_engine, to_host;
};

static_assert(offsetof(Header, identity) == 8 && offsetof(Identity, bytes) == 8 && offsetof(Identity, format) == 16 &&
                  sizeof(Identity) == 56 && sizeof(Request) % 64 == 0 && sizeof(Response) % 64 == 0,
              "every compiler must lay the segment out alike");

inline std::uint64_t magic_word() {
    std::uint64_t word;
    std::memcpy(&word, kMagic, sizeof word);
    return word;
}

// Where everything lies, from the start of the segment.
struct Layout {
    std::size_t request_stride, response_stride, requests, responses, to_engine, to_host, total;

    static constexpr std::size_t rounded(std::size_t n, std::size_t unit) { return (n + unit - 1) / unit * unit; }

    explicit constexpr Layout(const Format& f)
        : request_stride(rounded(sizeof(Request) + sizeof(float) * f.channels * f.hop, 64)),
          response_stride(rounded(sizeof(Response) + sizeof(float) * f.channels * (f.hop + kTail), 64)),
          requests(rounded(sizeof(Header), kPage)), responses(requests + rounded(kSlots * request_stride, kPage)),
          to_engine(responses + rounded(kSlots * response_stride, kPage)), to_host(to_engine + kMailboxBytes),
          total(to_host + kMailboxBytes) {}
};

} // namespace terzetto::bridge
