// SPDX-License-Identifier: GPL-3.0-or-later
#include "instance.hpp"

#include <algorithm>

namespace terzetto::plugin {

namespace {
constexpr int kLateTicks = 20; // about two seconds
}

Instance::Instance(const InstrumentInfo& instrument, Listener& listener)
    : listener_(listener), parameters_(instrument), state_(parameters_),
      status_meter_(parameters_.find("engine_status")), late_meter_(parameters_.find("late_blocks")),
      keeper_(state_, link_, instrument.name, Places::of_this_user(), [this] { after_tick(); }),
      pipeline_(parameters_, link_, keeper_) {}

Instance::~Instance() {
    release();
}

void Instance::prepare(Stream stream, bool patient) {
    const int low_latency = parameters_.find("low_latency");
    stream.low_latency = low_latency >= 0 && parameters_.value(static_cast<std::uint32_t>(low_latency)) > 0.5f;
    was_realtime_ = was_realtime_ || stream.realtime;
    stream.timed = was_realtime_;
    bridge::Format format;
    format.sample_rate = stream.sample_rate;
    format.channels = stream.channels;
    format.hop = stream.hop();
    format.realtime = stream.realtime ? 1 : 0;
    sample_rate_ = 0.0;
    keeper_.open(format);
    if (patient) keeper_.wait_ready(stream.realtime ? 3.0 : 20.0);
    pipeline_.prepare(stream, state_.latency(stream.sample_rate));
    if (!stream.realtime) pipeline_.settle();
    sample_rate_ = stream.sample_rate;
    prepared_ = true;
    update_meters();
}

void Instance::rest() {
    prepared_ = false;
}

void Instance::release() {
    prepared_ = false;
    pipeline_.release();
    keeper_.close();
}

void Instance::process(float* const* audio, std::uint32_t frames, const Block& block) noexcept {
    pipeline_.process(audio, frames, block);
    update_meters();
}

void Instance::set_state(std::string_view text) {
    const std::uint64_t before = state_.brought();
    std::string refused = state_.take(text);
    const bool renewed = state_.brought() != before;
    {
        const std::lock_guard<std::mutex> hold(view_mutex_);
        refused_ = std::move(refused);
    }
    if (renewed) keeper_.renew();
}

bool Instance::ask(std::string_view name, std::string_view text, std::string_view about) {
    std::string address = std::string("/terzetto/") + instrument().name + "/";
    address += name;
    return pipeline_.to_engine.post(address, text.empty() ? 'N' : 's', 0.0, text, about);
}

View Instance::view() const {
    Situation now;
    now.condition = condition();
    now.prepared = prepared_.load();
    now.detail = keeper_.detail();
    const std::lock_guard<std::mutex> hold(view_mutex_);
    now.refused = refused_;
    now.engine_text = engine_text_;
    View view = view_;
    view.condition = now.condition;
    view.status = status_line(now);
    view.instance = state_.instance();
    view.score = state_.score();
    return view;
}

Condition Instance::condition() const noexcept {
    const Condition kept = keeper_.condition();
    if (pipeline_.given_up()) return Condition::Failed;
    return kept == Condition::Running && late_lately_ ? Condition::Late : kept;
}

void Instance::update_meters() noexcept {
    if (status_meter_ >= 0) parameters_.set(static_cast<std::uint32_t>(status_meter_), static_cast<float>(condition()));
    if (late_meter_ >= 0)
        parameters_.set(static_cast<std::uint32_t>(late_meter_), static_cast<float>(pipeline_.late_hops()));
}

// On the keeper's thread.
void Instance::after_tick() {
    while (const Letter* letter = pipeline_.from_engine.front()) {
        const std::string_view address(letter->address.data()), text(letter->text.data());
        if (address == "/terzetto/instance") {
            state_.set_instance(text);
        } else {
            const std::lock_guard<std::mutex> hold(view_mutex_);
            if (address == "/terzetto/osc_port") view_.osc_port = static_cast<int>(letter->number);
            if (address == "/terzetto/status") engine_text_ = text;
            if (address == "/terzetto/progress") view_.progress = letter->number;
        }
        pipeline_.from_engine.pop();
    }
    const std::uint64_t late = pipeline_.late_hops();
    late_ticks_ = late > late_seen_ ? kLateTicks : std::max(0, late_ticks_ - 1);
    late_seen_ = late;
    late_lately_ = late_ticks_ > 0;

    const double sample_rate = sample_rate_;
    if (sample_rate > 0.0 && keeper_.condition() == Condition::Running)
        state_.set_latency(sample_rate, pipeline_.engine_latency());
    if (sample_rate > 0.0 && pipeline_.latency() != reported_latency_) {
        reported_latency_ = pipeline_.latency();
        listener_.latency_changed();
    }
    if (keeper_.state_count() != reported_state_) {
        reported_state_ = keeper_.state_count();
        listener_.state_changed();
    }
    listener_.parameters_changed();
}

} // namespace terzetto::plugin
