// SPDX-License-Identifier: GPL-3.0-or-later
#include "pipeline.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

namespace terzetto::plugin {

namespace {

constexpr std::uint32_t kTail = bridge::kTail;
constexpr double kLongestEngine = 2.0; // seconds of engine latency that the dry signal can follow
constexpr std::int64_t kNone = -1;
constexpr std::int64_t kWobble = 32; // frames by which a told position may be off without meaning it
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

std::int64_t floor_divided(std::int64_t n, std::int64_t by) {
    return n >= 0 ? n / by : -((-n + by - 1) / by);
}

} // namespace

std::uint32_t Stream::hop() const {
    // A block's hops must find room in the ring, and half of it may still be under way.
    return low_latency && block <= 256 * bridge::kSlots / 2 ? 256 : 512;
}

std::uint32_t Stream::pipeline() const {
    const std::uint32_t whole = std::gcd(std::max(block, 1u), hop());
    const std::uint32_t slack = whole < kTail ? kTail - whole : 0;
    const std::uint32_t needed = timed ? block + hop() + slack : hop() + kTail;
    return std::max(hop() == 256 ? 512u : 1024u, needed);
}

Pipeline::Pipeline(Parameters& parameters, Link& link, Rescue& rescue)
    : parameters_(parameters), link_(link), rescue_(rescue), parameter_events_(parameters),
      event_bytes_(bridge::kEventBytes), replay_bytes_(bridge::kEventBytes),
      events_(event_bytes_.data(), bridge::kEventBytes), replay_events_(replay_bytes_.data(), bridge::kEventBytes) {}

void Pipeline::prepare(const Stream& stream, std::uint32_t engine_latency) {
    stream_ = stream;
    hop_ = stream.hop();
    pipeline_ = stream.pipeline();
    // Enough to delay the dry signal, and to feed a restarted engine its whole latency or a second again.
    const auto seconds = static_cast<std::uint64_t>(std::ceil((kLongestEngine + 1.0) * stream.sample_rate));
    history_.prepare(stream.channels, hop_, pipeline_ + 4u * hop_ + seconds);
    held_.assign(pipeline_ / hop_ + 4, Held{});
    for (Held& held : held_) held.audio.assign(std::size_t{stream.channels} * (hop_ + kTail), 0.0f);
    end_ = link_.take_up();
    engine_latency_ = engine_latency;
    host_plays_ = placed_ = false;
    expected_position_ = 0;
    told_position_ = kNever;
    begin(stream.realtime);
    follow_latency();
    latency_ = pipeline_ + engine_latency_;
    dry_delay_ = dry_delay_before_ = latency_;
}

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

// Offline, in a host that tells where its output is: it plays from here on, and what it hears now came in a latency
// ago. The stream begins with that.
void Pipeline::begin_in_the_past(const bridge::Transport& transport) noexcept {
    const std::uint64_t delay = latency_, now = in_;
    if (now >= delay) history_.renumber(now - delay);
    begin(false);
    if (now < delay) return;
    in_ = delay;
    for (std::uint64_t hop = 0; hop <= in_ / hop_; ++hop) {
        bridge::Transport then = transport;
        then.position += static_cast<std::int64_t>(hop * hop_);
        history_.note_transport(hop, then);
    }
    const std::int64_t hop = floor_divided(static_cast<std::int64_t>(in_) - pipeline_ + kTail, hop_);
    if (!revive(hop)) return;
    playing_ = hop - 1;
    if (!await(hop)) return;
    playing_ = hop;
    mode_ = Mode::Wet; // nothing to fade from: the host hears the beginning
    wet_ = true;
}

// Where the block stands in the song: what hosts tell differs (docs/live.md).
bridge::Transport Pipeline::placed(const Block& block, std::uint32_t frames) noexcept {
    const bridge::Transport& told = block.transport;
    bridge::Transport transport = told;
    const bool of_output = block.transport_of_output, before_song = of_output && told.known != 0 && told.position < 0;
    const bool moves = told_position_ != kNever && told.position != told_position_;
    told_position_ = told.position;
    // Before the song the host may say that it does not play yet, and move. Offline that part is heard by nobody.
    const bool plays = told.known != 0 && (before_song ? realtime_ && moves : told.playing != 0);
    bool jumps = plays && !host_plays_;
    host_plays_ = host_plays_ || plays;
    if (!host_plays_ && !realtime_ && !of_output) { // a host that renders without a transport: counted from the start
        transport.known = transport.playing = 1;
        transport.position = static_cast<std::int64_t>(in_);
        return transport;
    }
    if (!plays) {
        transport.playing = 0;
        jumps = placed_ = false;
        host_plays_ = host_plays_ && !of_output;
        return transport;
    }
    transport.playing = 1;
    if (of_output) transport.position += latency_;
    const std::int64_t apart = std::abs(transport.position - expected_position_);
    if (placed_ && (!moves || apart <= kWobble)) transport.position = expected_position_; // it tells changes only
    jumps = jumps || (placed_ && moves && apart > std::int64_t{hop_});
    placed_ = true;
    expected_position_ = transport.position + frames;
    // In real time what is on its way is still to be heard (a loop!); the hops tell the engine where they stand.
    if (!jumps || realtime_ || in_ == 0) return transport;
    if (of_output) {
        bridge::Transport heard = transport;
        heard.position = told.position;
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
        const std::int64_t out = static_cast<std::int64_t>(in_) - pipeline_ + kTail; // from response 0's first frame
        const std::int64_t answer = floor_divided(out, hop_);
        const auto phase = static_cast<std::uint32_t>(out - answer * hop_);
        const std::uint32_t count = std::min({frames - done, hop_ - fill, hop_ - phase});
        if (fill == 0) start_hop(transport);
        if (serving_) {
            if (done == 0) parameter_events_.write(events_, fill, false);
            write_notes(block, done, done + count, fill);
        }
        const float* piece[bridge::kMaxChannels] = {};
        for (std::uint32_t c = 0; c < stream_.channels; ++c) piece[c] = audio[c] + done;
        history_.write(in_, piece, count);
        if (phase == 0) choose(answer);
        play(audio, done, count, block.bypass);
        in_ += count;
        done += count;
        if (transport.playing != 0) transport.position += count;
        if (in_ % hop_ == 0) finish_hop();
    }
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

void Pipeline::write_notes(const Block& block, std::uint32_t from, std::uint32_t to, std::uint32_t at) noexcept {
    char address[64] = "/terzetto/";
    std::strncat(address, parameters_.instrument().name, 32);
    std::strcat(address, "/note");
    for (std::uint32_t i = 0; i < block.note_count; ++i) {
        const Note& note = block.notes[i];
        if (note.frame < from || note.frame >= to) continue;
        const Argument arguments[3] = {Argument::of_int(note.pitch), Argument::of_int(note.velocity),
                                       Argument::of_int(note.channel)};
        events_.write(at + note.frame - from, address, arguments, 3);
    }
}

void Pipeline::write_letters() noexcept {
    while (const Letter* letter = to_engine.front()) {
        const Argument argument{letter->type, letter->number, letter->text.data()};
        if (!events_.write(0, letter->address.data(), &argument, letter->type == 'N' ? 0 : 1)) return;
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
        take_events(view);
        const auto hop = static_cast<std::int64_t>(origin_ + view.tag.hop);
        if (serving_ && view.tag.epoch == epoch_ && hop < static_cast<std::int64_t>(next_post_)) {
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

void Pipeline::take_events(const bridge::ResponseView& view) noexcept {
    EventReader reader(view.events, view.event_bytes);
    Event event;
    while (reader.next(event)) {
        if (parameter_events_.take(event)) continue;
        const Argument argument = event.count > 0 ? event.arguments[0] : Argument{};
        from_engine.post(event.address, argument.type, argument.number, argument.text);
    }
}

// In an epoch that began in mid-stream the engine's first frames are still empty.
bool Pipeline::warming_up(std::int64_t hop) const noexcept {
    const auto origin = static_cast<std::int64_t>(origin_);
    return origin > 0 && hop >= origin && (hop - origin) * hop_ < engine_latency_ + std::int64_t{kTail};
}

void Pipeline::choose(std::int64_t hop) noexcept {
    const bool good = hop >= 0 && !warming_up(hop) && (realtime_ ? has(hop) : await(hop));
    if (!good && hop >= served_from_) ++late_;
    const bool was = (mode_ == Mode::Wet || mode_ == Mode::FadeIn) && has(hop - 1);
    mode_ = good ? (was ? Mode::Wet : Mode::FadeIn) : (was ? Mode::FadeOut : Mode::Dry);
    playing_ = std::max(hop, kNone);
    wet_ = good;
}

float Pipeline::dry(std::uint32_t channel, std::uint64_t at) const noexcept {
    const auto now = static_cast<std::int64_t>(at);
    const float current = history_.frame(channel, now - static_cast<std::int64_t>(dry_delay_));
    if (dry_fade_ >= kTail) return current;
    const float share = (static_cast<float>(dry_fade_) + 0.5f) / static_cast<float>(kTail);
    const float before = history_.frame(channel, now - static_cast<std::int64_t>(dry_delay_before_));
    return before + share * (current - before);
}

void Pipeline::play(float* const* audio, std::uint32_t offset, std::uint32_t count, bool bypass) noexcept {
    const std::int64_t out = static_cast<std::int64_t>(in_) - pipeline_ + kTail;
    const auto phase = static_cast<std::uint32_t>(out - floor_divided(out, hop_) * hop_);
    const std::size_t stride = hop_ + kTail;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t at = phase + i;
        const float share = at < kTail ? (static_cast<float>(at) + 0.5f) / static_cast<float>(kTail) : 1.0f;
        bypassed_ = std::clamp(bypassed_ + (bypass ? 1.0f : -1.0f) / static_cast<float>(kTail), 0.0f, 1.0f);
        for (std::uint32_t c = 0; c < stream_.channels; ++c) {
            const float plain = dry(c, in_ + i);
            float sample = plain;
            if (mode_ == Mode::Wet) {
                sample = held(playing_).audio[c * stride + at];
            } else if (mode_ == Mode::FadeIn) {
                const float wet = held(playing_).audio[c * stride + at];
                sample = share < 1.0f ? plain + share * (wet - plain) : wet;
            } else if (mode_ == Mode::FadeOut && share < 1.0f) {
                const float wet = held(playing_ - 1).audio[c * stride + hop_ + at];
                sample = wet + share * (plain - wet);
            }
            if (bypassed_ > 0.0f) sample = bypassed_ < 1.0f ? sample + bypassed_ * (plain - sample) : plain;
            audio[c][offset + i] = sample;
        }
        if (dry_fade_ < kTail) ++dry_fade_;
    }
}

// --- Offline: waiting ---

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
    // A second again, or all that the engine needs before it gives something; the whole stream where that is less:
    // then nobody hears that anything happened.
    const auto frames = std::max<std::int64_t>(static_cast<std::int64_t>(stream_.sample_rate),
                                               std::int64_t{engine_latency_.load()} + kTail);
    const std::int64_t back = frames / hop_ + 2;
    start_epoch(static_cast<std::uint64_t>(std::max<std::int64_t>(0, hop - back)));
    replay_events_.clear();
    parameter_events_.write(replay_events_, 0, true);
    const std::uint64_t whole = in_ / hop_;
    while (next_post_ < whole) {
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
