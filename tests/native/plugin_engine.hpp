// SPDX-License-Identifier: GPL-3.0-or-later
// An engine in this process: the real end of the bridge on a thread, with a known sound: minus half of what came in,
// `latency` frames later. It can be slow, stop answering, or die.
#pragma once

#include "bridge.hpp"
#include "osc.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace terzetto::test {

struct EngineHabits {
    std::uint32_t latency = 0;
    double seconds_a_hop = 0.0;
    std::int64_t dies_at_hop = -1;      // of all that it has seen: neither answers nor beats any more
    bool spoils_audio = false;          // answers with what is no number
    std::atomic<int>* states = nullptr; // counts the states that came
    bool echoes = false;                // plays the notes that come, at their frames
};

class Engine {
public:
    Engine(const std::string& segment, EngineHabits habits)
        : habits_(habits), end_(bridge::EngineEnd::attach(segment)), thread_([this] { run(); }) {}
    ~Engine() {
        stop_ = true;
        thread_.join();
    }

    void hold(bool held) { held_ = held; } // takes nothing, but beats
    void set_latency(std::uint32_t frames) { wanted_latency_ = frames; }
    void tell(const std::vector<std::uint8_t>& events) {
        const std::lock_guard<std::mutex> hold(mutex_);
        to_tell_ = events;
    }
    // The last value that came for an address; NaN: none.
    double value(const std::string& address) const {
        const std::lock_guard<std::mutex> hold(mutex_);
        const auto found = values_.find(address);
        return found == values_.end() ? std::nan("") : found->second;
    }
    std::uint32_t hops() const { return hops_; }
    std::uint32_t epochs() const { return epochs_; }
    bool had_offline(bool offline) const { return (kinds_ & (offline ? 2u : 1u)) != 0; } // hops of this kind came
    std::uint32_t gaps() const { return gaps_; }  // hops that did not follow their predecessor: must stay 0
    std::vector<std::int64_t> positions() const { // of the hops
        const std::lock_guard<std::mutex> hold(mutex_);
        return positions_;
    }
    std::vector<double> quarters() const { // of the hops
        const std::lock_guard<std::mutex> hold(mutex_);
        return quarters_;
    }
    std::vector<std::string> texts() const {
        const std::lock_guard<std::mutex> hold(mutex_);
        return texts_;
    }

private:
    void run() {
        const bridge::Format format = end_->format();
        end_->set_latency(habits_.latency);
        end_->beat();
        end_->set_ready(true);
        std::vector<float> audio(format.channels * (format.hop + bridge::kTail));
        while (!stop_ && end_->host_alive()) {
            if (wanted_latency_ >= 0) {
                habits_.latency = static_cast<std::uint32_t>(wanted_latency_.exchange(-1));
                end_->set_latency(habits_.latency);
            }
            if (habits_.dies_at_hop >= 0 && hops_ >= habits_.dies_at_hop) {
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
                continue;
            }
            end_->beat();
            if (end_->take_state() && habits_.states) ++*habits_.states;
            bridge::RequestView view;
            if (held_ || !end_->wait(0.01) || !end_->front(view)) {
                if (held_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
                continue;
            }
            take(view, format);
            if (habits_.seconds_a_hop > 0.0)
                std::this_thread::sleep_for(std::chrono::duration<double>(habits_.seconds_a_hop));
            answer(view.tag, format, audio);
            end_->pop();
            ++hops_;
        }
    }

    void take(const bridge::RequestView& view, const bridge::Format& format) {
        if (view.tag.epoch != epoch_) {
            if (view.tag.hop != 0) ++gaps_;
            epoch_ = view.tag.epoch;
            ++epochs_;
            heard_.assign(format.channels, {});
        } else if (view.tag.hop * format.hop != heard_[0].size()) {
            ++gaps_;
        }
        for (std::uint32_t c = 0; c < format.channels; ++c)
            heard_[c].insert(heard_[c].end(), view.audio + c * format.hop, view.audio + (c + 1) * format.hop);
        plugin::EventReader reader(view.events, view.event_bytes);
        plugin::Event event;
        const std::lock_guard<std::mutex> hold(mutex_);
        positions_.push_back(view.transport.position);
        quarters_.push_back(view.transport.quarters);
        kinds_ |= view.transport.offline != 0 ? 2u : 1u;
        plugin::EventWriter played(played_bytes_.data(), static_cast<std::uint32_t>(played_bytes_.size()));
        while (reader.next(event)) {
            if (event.frame >= format.hop) ++gaps_;
            if (habits_.echoes && event.address == "/terzetto/drums/note")
                played.write(event.frame, "/terzetto/drums/played", event.arguments, 3);
            if (event.count > 0) values_[std::string(event.address)] = event.arguments[0].number;
            for (std::uint32_t i = 0; i < event.count; ++i)
                if (event.arguments[i].type == 's') texts_.emplace_back(event.arguments[i].text);
        }
        played_ = played.bytes();
    }

    void answer(bridge::Tag tag, const bridge::Format& format, std::vector<float>& audio) {
        for (std::uint32_t c = 0; c < format.channels; ++c)
            for (std::uint32_t i = 0; i < format.hop + bridge::kTail; ++i) {
                const std::int64_t at =
                    std::int64_t{tag.hop} * format.hop + i - std::int64_t{bridge::kTail} - habits_.latency;
                float& sample = audio[c * (format.hop + bridge::kTail) + i];
                sample = at < 0 ? 0.0f : -0.5f * heard_[c][static_cast<std::size_t>(at)];
                if (habits_.spoils_audio) sample = std::nanf("");
            }
        const std::lock_guard<std::mutex> hold(mutex_);
        if (played_ > 0) to_tell_.insert(to_tell_.end(), played_bytes_.begin(), played_bytes_.begin() + played_);
        end_->respond(tag, audio.data(), to_tell_.data(), static_cast<std::uint32_t>(to_tell_.size()));
        to_tell_.clear();
    }

    EngineHabits habits_;
    std::unique_ptr<bridge::EngineEnd> end_;
    std::vector<std::vector<float>> heard_; // channels x frames of the epoch
    std::uint32_t epoch_ = 0xffffffffu;
    std::atomic<std::uint32_t> hops_{0}, epochs_{0}, gaps_{0}, kinds_{0};
    std::atomic<std::int64_t> wanted_latency_{-1};
    std::atomic<bool> stop_{false}, held_{false};
    mutable std::mutex mutex_;
    std::map<std::string, double> values_;
    std::vector<std::string> texts_;
    std::vector<std::int64_t> positions_;
    std::vector<double> quarters_;
    std::vector<std::uint8_t> to_tell_, played_bytes_ = std::vector<std::uint8_t>(8192);
    std::uint32_t played_ = 0; // bytes
    std::thread thread_;
};

} // namespace terzetto::test
