// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace terzetto::plugin {

namespace {

constexpr double kLongestEngine = 2.0; // seconds of engine latency that the dry signal can follow

} // namespace

Pipeline::Pipeline(Parameters& parameters, Link& link, Rescue& rescue)
    : parameters_(parameters), link_(link), rescue_(rescue), parameter_events_(parameters),
      event_bytes_(bridge::kEventBytes), replay_bytes_(bridge::kEventBytes),
      events_(event_bytes_.data(), bridge::kEventBytes), replay_events_(replay_bytes_.data(), bridge::kEventBytes) {
    const char* instrument = parameters.instrument().name;
    std::snprintf(note_address_.data(), note_address_.size(), "/terzetto/%s/note", instrument);
    std::snprintf(played_address_.data(), played_address_.size(), "/terzetto/%s/played", instrument);
}

void Pipeline::prepare(const Stream& stream, std::uint32_t engine_latency) {
    stream_ = stream;
    hop_ = stream.hop();
    pipeline_ = stream.pipeline();
    // Enough to delay the dry signal, and to feed a restarted engine its whole latency, or what is fed again.
    const auto seconds =
        static_cast<std::uint64_t>(std::ceil((kLongestEngine + replay_seconds()) * stream.sample_rate));
    history_.prepare(stream.channels, hop_, pipeline_ + 4u * hop_ + seconds);
    held_.assign(pipeline_ / hop_ + 4, Held{});
    for (Held& held : held_) held.audio.assign(std::size_t{stream.channels} * (hop_ + kTail), 0.0f);
    end_ = link_.take_up();
    engine_latency_ = engine_latency;
    position_ = SongPosition(hop_);
    begin(stream.realtime);
    follow_latency();
    latency_ = pipeline_ + engine_latency_;
    dry_delay_ = dry_delay_before_ = latency_;
}

void Pipeline::release() {
    end_ = nullptr;
    serving_ = false;
    wet_ = false;
}

// --- The audio thread ---

void Pipeline::begin(bool realtime) noexcept {
    realtime_ = realtime;
    in_ = next_post_ = 0;
    serving_ = false;
    mode_ = Mode::Dry;
    playing_ = newest_ = kNone;
    served_from_ = kNever;
    for (Held& held : held_) held.hop = kNone;
    events_.clear();
    notes_in_.clear();
    notes_out_.end_all();
    dry_fade_ = kTail;
    failures_ = 0;
    given_up_ = false;
    late_ = 0;
    wet_ = false;
}

void Pipeline::follow_link() noexcept {
    bridge::HostEnd* end = link_.take_up();
    if (end == end_) return;
    end_ = end;
    serving_ = false;
    served_from_ = kNever;
}

void Pipeline::follow_latency() noexcept {
    if (!end_ || !end_->ready() || dry_fade_ < kTail) return;
    const auto longest = static_cast<std::uint32_t>(kLongestEngine * stream_.sample_rate);
    const std::uint32_t told = std::min(end_->latency(), longest);
    if (told == engine_latency_) return;
    engine_latency_ = told;
    latency_ = pipeline_ + told;
    dry_delay_before_ = dry_delay_;
    dry_delay_ = pipeline_ + told;
    if (in_ > 0) dry_fade_ = 0;
}

// A jump offline begins the stream anew. In real time what is on its way is still to be heard (a loop!); the hops tell
// the engine where they stand.
bridge::Transport Pipeline::placed(const Block& block, std::uint32_t frames) noexcept {
    bridge::Transport transport = position_.next(block, frames, latency_, in_);
    // The quarter notes go where the position went.
    transport.quarters += quarters(transport.position - block.transport.position, transport.tempo);
    if (!position_.jumped() || realtime_ || in_ == 0) return transport;
    if (block.transport_of_output) {
        bridge::Transport heard = transport;
        heard.position = block.transport.position;
        heard.quarters = block.transport.quarters;
        begin_in_the_past(heard);
    } else {
        begin(false);
    }
    return transport;
}

void Pipeline::process(float* const* audio, std::uint32_t frames, const Block& block) noexcept {
    if (reset_.exchange(false) || block.realtime != realtime_) begin(block.realtime);
    follow_link();
    take_responses();
    follow_latency();
    bridge::Transport transport = placed(block, frames);
    for (std::uint32_t done = 0; done < frames;) {
        const auto fill = static_cast<std::uint32_t>(in_ % hop_);
        const auto [answer, phase] = spot(in_);
        const std::uint32_t count = std::min({frames - done, hop_ - fill, hop_ - phase});
        if (fill == 0) start_hop(transport);
        keep_notes(block, done, done + count);
        if (serving_) {
            if (done == 0) parameter_events_.write(events_, fill, false);
            write_notes(events_, in_, in_ + count);
        }
        const float* piece[bridge::kMaxChannels] = {};
        for (std::uint32_t c = 0; c < stream_.channels; ++c) piece[c] = audio[c] + done;
        history_.write(in_, piece, count);
        if (phase == 0) choose(answer);
        play(audio, done, count, block.bypass);
        in_ += count;
        done += count;
        if (transport.playing != 0) advance(transport, count);
        if (in_ % hop_ == 0) finish_hop();
    }
    notes_out_count_ = notes_out_.take(in_ - std::min<std::uint64_t>(in_, frames), frames, block.bypass);
}

void Pipeline::advance(bridge::Transport& transport, std::int64_t frames) const noexcept {
    transport.position += frames;
    transport.quarters += quarters(frames, transport.tempo);
}

double Pipeline::quarters(std::int64_t frames, double tempo) const noexcept {
    return static_cast<double>(frames) * tempo / (60.0 * stream_.sample_rate);
}

void Pipeline::start_hop(const bridge::Transport& transport) noexcept {
    history_.note_transport(in_ / hop_, transport);
    if (serving_) return;
    if (!realtime_ && in_ > 0) {
        revive(playing_ + 1);
        return;
    }
    if (!realtime_ && rescue_.wait_ready()) {
        follow_link();
        follow_latency();
    }
    if (!end_ || !end_->ready()) return;
    start_epoch(in_ / hop_);
    parameter_events_.write(events_, 0, true);
}

void Pipeline::start_epoch(std::uint64_t hop) noexcept {
    ++epoch_;
    origin_ = next_post_ = hop;
    newest_ = kNone;
    served_from_ = std::min(served_from_, static_cast<std::int64_t>(hop));
    serving_ = true;
}

void Pipeline::keep_notes(const Block& block, std::uint32_t from, std::uint32_t to) noexcept {
    for (std::uint32_t i = 0; i < block.note_count; ++i) {
        const Note& note = block.notes[i];
        if (note.frame >= from && note.frame < to) notes_in_.add(in_ + note.frame - from, note);
    }
}

// Of one hop.
void Pipeline::write_notes(EventWriter& events, std::uint64_t from, std::uint64_t to) noexcept {
    notes_in_.visit(from, to, [&](std::uint64_t at, const Note& note) {
        const Argument arguments[3] = {Argument::of_int(note.pitch), Argument::of_int(note.velocity),
                                       Argument::of_int(note.channel)};
        events.write(static_cast<std::uint32_t>(at % hop_), note_address_.data(), arguments, 3);
    });
}

void Pipeline::write_letters() noexcept {
    while (const Letter* letter = to_engine.front()) {
        const Argument arguments[2] = {{'s', 0.0, letter->about.data()},
                                       {letter->type, letter->number, letter->text.data()}};
        const bool alone = letter->about[0] == '\0';
        const std::uint32_t count = letter->type == 'N' ? 0 : alone ? 1 : 2;
        if (!events_.write(0, letter->address.data(), arguments + (alone ? 1 : 0), count)) return;
        to_engine.pop();
    }
}

bool Pipeline::post(std::uint64_t hop, const EventWriter& events) noexcept {
    const auto audio = history_.hop(hop);
    const bridge::Tag tag{epoch_, static_cast<std::uint32_t>(hop - origin_)};
    bridge::Transport transport = history_.transport(hop);
    transport.offline = realtime_ ? 0 : 1;
    if (!end_->post(tag, audio.data(), transport, events.data(), events.bytes())) return false;
    next_post_ = hop + 1;
    return true;
}

void Pipeline::finish_hop() noexcept {
    const std::uint64_t hop = in_ / hop_ - 1;
    if (!serving_) return;
    write_letters();
    if (realtime_ ? post(hop, events_) : post_patiently(hop, events_)) {
        events_.clear();
        return;
    }
    // An epoch has no gaps: what comes next begins another one, with every value; notes and scores travel on.
    events_.move_to_start();
    serving_ = false;
}

Pipeline::Held& Pipeline::held(std::int64_t hop) noexcept {
    return held_[static_cast<std::size_t>(hop) % held_.size()];
}

void Pipeline::take_responses() noexcept {
    bridge::ResponseView view;
    while (end_ && end_->front(view)) {
        const auto hop = static_cast<std::int64_t>(origin_ + view.tag.hop);
        const bool of_now = serving_ && view.tag.epoch == epoch_ && hop < static_cast<std::int64_t>(next_post_);
        take_events(view, of_now);
        if (of_now) {
            newest_ = std::max(newest_, hop);
            if (hop > playing_ && hop < playing_ + static_cast<std::int64_t>(held_.size())) {
                Held& held = this->held(hop);
                float sum = 0.0f; // not finite as soon as one sample is not
                for (std::size_t i = 0; i < held.audio.size(); ++i) {
                    held.audio[i] = view.audio[i];
                    sum += 0.0f * view.audio[i];
                }
                held.hop = sum == 0.0f ? hop : kNone;
            }
        }
        end_->pop();
    }
}

// Notes are heard when their sound is: a latency after the frame at which they were played.
void Pipeline::take_events(const bridge::ResponseView& view, bool of_now) noexcept {
    EventReader reader(view.events, view.event_bytes);
    Event event;
    const std::uint64_t heard = (origin_ + view.tag.hop) * std::uint64_t{hop_} + latency_;
    while (reader.next(event)) {
        if (parameter_events_.take(event)) continue;
        if (event.address == played_address_.data()) {
            const Argument* given = event.arguments;
            if (of_now && event.count == 3 && event.frame < hop_)
                notes_out_.add(heard + event.frame, static_cast<std::uint8_t>(given[0].number),
                               static_cast<std::uint8_t>(given[1].number), static_cast<std::uint8_t>(given[2].number));
            continue;
        }
        const Argument argument = event.count > 0 ? event.arguments[0] : Argument{};
        from_engine.post(event.address, argument.type, argument.number, argument.text);
    }
}

} // namespace terzetto::plugin
