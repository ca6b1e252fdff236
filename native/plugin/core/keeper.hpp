// SPDX-License-Identifier: GPL-3.0-or-later
// The background thread of an instance: makes the segment, calls the engine, starts it where there is none, watches
// its heartbeat, and gives the audio thread another segment when the engine is lost.
#pragma once

#include "link.hpp"
#include "pipeline.hpp"
#include "places.hpp"
#include "state.hpp"
#include "status_line.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace terzetto::plugin {

class Keeper final : public Rescue {
public:
    // `after_tick` runs on the keeper's thread, about ten times a second.
    Keeper(State& state, Link& link, std::string instrument, Places places, std::function<void()> after_tick);
    ~Keeper() override; // close()

    // A segment of this format, and an engine for it. One that is there and fits stays. No audio runs meanwhile.
    void open(const bridge::Format& format);
    void close(); // no audio runs any more
    // The engine is to take up a state that the host brought; wait_ready() also waits for that.
    void renew();
    bool wait_ready(double seconds) noexcept; // false: not by then, or there is none to be expected

    bool wait_ready() noexcept override; // for as long as the engine shows life, 20 s without
    bool replace(bridge::HostEnd* end) noexcept override;

    Condition condition() const noexcept { return condition_.load(); }
    std::string detail() const;
    // Rises when the engine's part of the state has changed.
    std::uint32_t state_count() const noexcept { return state_count_.load(); }

private:
    using Clock = std::chrono::steady_clock;
    using Hold = std::unique_lock<std::mutex>;

    void run();
    void tick();
    void attach(Clock::time_point now);
    void start_engine(Clock::time_point now);
    void watch();
    void lose(bool hangs);
    bool make_segment();
    void drop_segment();
    void fail(std::string detail);
    void send_state();
    bool ready() const { return current_ && current_->engine_pid() != 0 && current_->ready() && !state_due_; }

    State& state_;
    Link& link_;
    const std::string instrument_;
    const Places places_;
    const std::function<void()> after_tick_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::thread thread_;
    bool stop_ = false;
    bridge::Format format_;
    std::unique_ptr<bridge::HostEnd> current_;
    std::vector<std::unique_ptr<bridge::HostEnd>> retired_; // until the audio thread has let go of them
    std::string detail_;
    Clock::time_point next_attach_{}, first_attach_{}, opened_{};
    std::uint32_t losses_ = 0; // engines in a row that were lost before they were ready
    bool state_due_ = false, was_attached_ = false, was_ready_ = false, expects_none_ = false;
    std::atomic<Condition> condition_{Condition::Absent};
    std::atomic<std::uint32_t> state_count_{0};
};

} // namespace terzetto::plugin
