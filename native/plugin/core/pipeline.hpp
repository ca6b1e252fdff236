// SPDX-License-Identifier: GPL-3.0-or-later
// The stream through the engine and back: blocks of any size become hops, responses are played `pipeline` frames after
// their hop came in, and where one is missing the delayed dry signal is. What is played does not depend on how the
// host cuts the stream into blocks.
#pragma once

#include "history.hpp"
#include "letters.hpp"
#include "link.hpp"
#include "notes.hpp"
#include "osc.hpp"
#include "parameters.hpp"
#include "song_position.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <vector>

namespace terzetto::plugin {

// Who can be waited for, offline only.
class Rescue {
public:
    virtual ~Rescue() = default;
    // Waits until the offered end's engine serves hops. False: there is none, and none is to be expected.
    virtual bool wait_ready() noexcept = 0;
    // This end's engine is dead or hangs: offer another end, and wait as above.
    virtual bool replace(bridge::HostEnd* end) noexcept = 0;
};

class Pipeline {
public:
    Pipeline(Parameters& parameters, Link& link, Rescue& rescue);

    // While no audio runs. `engine_latency`: what is expected of the engine until it tells its own.
    void prepare(const Stream& stream, std::uint32_t engine_latency);
    // Offline, while no audio runs: shows the engine every parameter and takes up the latency they lead to.
    void settle();
    void release();

    // The stream begins anew with the next block.
    void reset() noexcept TERZETTO_REALTIME { reset_.store(true); }
    // In place, channels as prepared. Waits offline only (block.realtime false).
    void process(float* const* audio, std::uint32_t frames, const Block& block) noexcept TERZETTO_REALTIME;

    std::uint32_t latency() const { return latency_.load(); }               // to be reported to the host, in frames
    std::uint32_t engine_latency() const { return engine_latency_.load(); } // the engine's part of it
    std::uint64_t late_hops() const { return late_.load(); }                // since the stream began
    bool playing_wet() const { return wet_.load(); }
    bool given_up() const { return given_up_.load(); } // offline, three engines in a row failed
    const Stream& stream() const { return stream_; }
    // What the engine played, as notes of the last block.
    const Note* notes_out() const { return notes_out_.taken(); }
    std::uint32_t notes_out_count() const { return notes_out_count_; }

    Letters<16> to_engine;   // from the editor's thread, for the next hop
    Letters<64> from_engine; // for the keeper's thread: what is no parameter

private:
    // What is kept of a response until it is played.
    struct Held {
        std::int64_t hop = -1;
        std::vector<float> audio; // channels x (hop + kTail)
    };
    enum class Mode : std::uint8_t { Dry, Wet, FadeIn, FadeOut };
    // Which response is played, and how far it is.
    struct Spot {
        std::int64_t hop;
        std::uint32_t phase; // frames
    };

    static constexpr std::uint32_t kTail = bridge::kTail;
    static constexpr double kLongestRing = 10.0; // seconds for which what an instrument struck may ring
    static constexpr std::int64_t kNone = -1, kNever = std::numeric_limits<std::int64_t>::max();

    // At a frame of the stream as it comes in.
    Spot spot(std::uint64_t in) const noexcept TERZETTO_REALTIME {
        const std::int64_t out = static_cast<std::int64_t>(in) - pipeline_ + kTail; // from response 0's first frame
        const std::int64_t unit = hop_, hop = out >= 0 ? out / unit : -((-out + unit - 1) / unit);
        return {hop, static_cast<std::uint32_t>(out - hop * unit)};
    }

    void begin(bool realtime) noexcept TERZETTO_REALTIME;
    void follow_link() noexcept TERZETTO_REALTIME;
    void follow_latency() noexcept TERZETTO_REALTIME;
    void begin_in_the_past(const bridge::Transport& transport) noexcept;
    bridge::Transport placed(const Block& block, std::uint32_t frames) noexcept TERZETTO_REALTIME;
    void start_hop(const bridge::Transport& transport) noexcept TERZETTO_REALTIME;
    void keep_notes(const Block& block, std::uint32_t from, std::uint32_t to) noexcept TERZETTO_REALTIME;
    void write_notes(EventWriter& events, std::uint64_t from, std::uint64_t to) noexcept TERZETTO_REALTIME;
    double quarters(std::int64_t frames, double tempo) const noexcept TERZETTO_REALTIME;
    void advance(bridge::Transport& transport, std::int64_t frames) const noexcept TERZETTO_REALTIME;
    void start_epoch(std::uint64_t hop) noexcept TERZETTO_REALTIME;
    void write_letters() noexcept TERZETTO_REALTIME;
    bool post(std::uint64_t hop, const EventWriter& events) noexcept TERZETTO_REALTIME;
    void finish_hop() noexcept TERZETTO_REALTIME;
    void take_responses() noexcept TERZETTO_REALTIME;
    void take_events(const bridge::ResponseView& view, bool of_now) noexcept TERZETTO_REALTIME;
    Held& held(std::int64_t hop) noexcept TERZETTO_REALTIME;
    bool has(std::int64_t hop) noexcept TERZETTO_REALTIME { return hop >= 0 && held(hop).hop == hop; }
    bool warming_up(std::int64_t hop) const noexcept TERZETTO_REALTIME;
    void choose(std::int64_t hop) noexcept TERZETTO_REALTIME;
    void play(float* const* audio, std::uint32_t offset, std::uint32_t count, bool bypass) noexcept TERZETTO_REALTIME;
    float dry(std::uint32_t channel, std::uint64_t at) const noexcept TERZETTO_REALTIME;

    // Offline.
    bool await(std::int64_t hop) noexcept;
    bool revive(std::int64_t hop) noexcept;
    bool post_patiently(std::uint64_t hop, const EventWriter& events) noexcept;
    bool engine_lost() const noexcept;
    // How much an engine that takes over in mid-stream is fed again, so that nothing tells that it did.
    double replay_seconds() const noexcept { return parameters_.instrument().plays ? kLongestRing : 1.0; }

    Parameters& parameters_;
    Link& link_;
    Rescue& rescue_;
    Stream stream_;
    std::uint32_t hop_ = 512, pipeline_ = 1024;
    History history_;
    std::vector<Held> held_;

    bridge::HostEnd* end_ = nullptr;
    ParameterEvents parameter_events_;
    std::vector<std::uint8_t> event_bytes_, replay_bytes_;
    EventWriter events_, replay_events_; // of the hop that fills; of the first one that is posted again

    std::uint64_t in_ = 0;        // frames since the stream began
    std::uint64_t next_post_ = 0; // hop
    bool serving_ = false;        // an epoch runs
    std::uint32_t epoch_ = 0;
    std::uint64_t origin_ = 0;     // the epoch's first hop
    std::int64_t newest_ = -1;     // the last hop of the epoch that was answered
    std::int64_t served_from_ = 0; // the first hop that this end was given
    bool realtime_ = true;

    Mode mode_ = Mode::Dry;
    std::int64_t playing_ = -1; // hop
    float bypassed_ = 0.0f;     // 1: the dry signal alone
    std::uint64_t dry_delay_ = 1024, dry_delay_before_ = 1024;
    std::uint32_t dry_fade_ = bridge::kTail; // frames of the change of delay that are done

    SongPosition position_;
    NotesIn notes_in_;
    NotesOut notes_out_;
    std::uint32_t notes_out_count_ = 0;
    std::array<char, 64> note_address_{}, played_address_{};
    std::uint32_t failures_ = 0;

    std::atomic<bool> reset_{false}, wet_{false}, given_up_{false};
    std::atomic<std::uint32_t> latency_{1024}, engine_latency_{0};
    std::atomic<std::uint64_t> late_{0};
};

} // namespace terzetto::plugin
