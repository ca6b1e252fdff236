// SPDX-License-Identifier: GPL-3.0-or-later
// Offline: what waits for the engine, and what brings back one that died.
#include "pipeline.hpp"

#include <algorithm>

namespace terzetto::plugin {

void Pipeline::settle() {
    follow_link();
    if (!end_ || !end_->ready()) return;
    start_epoch(0);
    replay_events_.clear();
    parameter_events_.write(replay_events_, 0, true);
    if (post_patiently(0, replay_events_)) {
        while (newest_ < 0 && !engine_lost()) {
            end_->wait_response(0.05);
            take_responses();
        }
    }
    begin(realtime_);
    follow_latency();
}

// Offline, in a host that tells where its output is: it plays from here on, and what it hears now came in a latency
// ago. The stream begins with that.
void Pipeline::begin_in_the_past(const bridge::Transport& transport) noexcept {
    const std::uint64_t delay = latency_, now = in_;
    if (now >= delay) history_.renumber(now - delay);
    NotesIn notes = notes_in_;
    begin(false);
    if (now < delay) return;
    notes.renumber(now - delay);
    notes_in_ = notes;
    in_ = delay;
    for (std::uint64_t hop = 0; hop <= in_ / hop_; ++hop) {
        bridge::Transport then = transport;
        advance(then, static_cast<std::int64_t>(hop * hop_));
        history_.note_transport(hop, then);
    }
    const std::int64_t hop = spot(in_).hop;
    if (!revive(hop)) return;
    write_notes(events_, in_ / hop_ * hop_, in_);
    playing_ = hop - 1;
    if (!await(hop)) return;
    playing_ = hop;
    mode_ = Mode::Wet; // nothing to fade from: the host hears the beginning
    wet_ = true;
}

bool Pipeline::engine_lost() const noexcept {
    return !end_ || link_.renewed() || end_->engine_silent_for() > 2.0;
}

bool Pipeline::post_patiently(std::uint64_t hop, const EventWriter& events) noexcept {
    while (!post(hop, events)) {
        take_responses();
        if (engine_lost()) return false;
        if (!post(hop, events)) {
            end_->wait_response(0.02);
            continue;
        }
        return true;
    }
    return true;
}

bool Pipeline::await(std::int64_t hop) noexcept {
    for (;;) {
        if (has(hop)) {
            failures_ = 0;
            return true;
        }
        if (given_up_) return false;
        if (serving_) {
            take_responses();
            if (has(hop)) continue;
            if (hop < static_cast<std::int64_t>(origin_)) return false; // came before there was an engine
            // Answered out of its turn, or with what is no audio: as good as lost.
            if (newest_ < hop && !engine_lost()) {
                end_->wait_response(0.05);
                continue;
            }
            serving_ = false;
            if (++failures_ >= 3) {
                given_up_ = true;
                return false;
            }
            if (!link_.renewed() && !rescue_.replace(end_)) return false;
        }
        if (!revive(hop)) return false;
    }
}

bool Pipeline::revive(std::int64_t hop) noexcept {
    if (given_up_ || !rescue_.wait_ready()) return false;
    follow_link();
    if (!end_ || !end_->ready()) return false;
    follow_latency();
    // A second again (of an instrument as much as it may ring), or all that the engine needs before it gives something;
    // the whole stream where that is less: then nobody hears that anything happened.
    const auto frames = std::max<std::int64_t>(static_cast<std::int64_t>(replay_seconds() * stream_.sample_rate),
                                               std::int64_t{engine_latency_.load()} + kTail);
    const std::int64_t back = frames / hop_ + 2;
    start_epoch(static_cast<std::uint64_t>(std::max<std::int64_t>(0, hop - back)));
    replay_events_.clear();
    parameter_events_.write(replay_events_, 0, true);
    const std::uint64_t whole = in_ / hop_;
    notes_out_.forget();
    while (next_post_ < whole) {
        write_notes(replay_events_, next_post_ * hop_, (next_post_ + 1) * hop_);
        if (!post_patiently(next_post_, replay_events_)) {
            serving_ = false;
            ++failures_;
            if (failures_ >= 3) given_up_ = true;
            return false;
        }
        replay_events_.clear();
    }
    // Replayed from the hop that fills now: its own events hold every value.
    if (origin_ == whole) parameter_events_.write(events_, 0, true);
    return true;
}

} // namespace terzetto::plugin
