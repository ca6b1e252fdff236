// SPDX-License-Identifier: GPL-3.0-or-later
#include "keeper.hpp"

#include "launch.hpp"

#include <algorithm>
#include <utility>

namespace terzetto::plugin {

namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 100ms;
constexpr auto kWaitingTick = 20ms; // while an engine is on its way
constexpr auto kAttachEvery = 500ms;
constexpr auto kServerPatience = 30s;
constexpr auto kStartPatience = 20s;
constexpr double kSilence = 2.0; // seconds without a beat: dead or hung

// Starts of the engine, by all instances of this process: ten instances start one engine, not ten.
struct Starts {
    std::mutex lock;
    std::chrono::steady_clock::time_point next{};
    std::uint32_t tries = 0; // since the last one that led to a running engine
};

Starts& starts() {
    static Starts the_starts;
    return the_starts;
}

std::chrono::seconds back_off(std::uint32_t tries) {
    return std::chrono::seconds(std::min(30u, 1u << std::min(tries, 5u)));
}

} // namespace

Keeper::Keeper(State& state, Link& link, std::string instrument, Places places, std::function<void()> after_tick)
    : state_(state), link_(link), instrument_(std::move(instrument)), places_(std::move(places)),
      after_tick_(std::move(after_tick)) {}

Keeper::~Keeper() {
    close();
}

std::string Keeper::detail() const {
    const Hold hold(mutex_);
    return detail_;
}

void Keeper::open(const bridge::Format& format) {
    const Hold hold(mutex_);
    expects_none_ = false;
    opened_ = Clock::now();
    const bool fits = current_ && format.sample_rate == format_.sample_rate && format.channels == format_.channels &&
                      format.hop == format_.hop;
    const bool alive = fits && (current_->engine_pid() == 0 || current_->engine_silent_for() <= kSilence);
    format_ = format;
    if (!alive) make_segment();
    if (!thread_.joinable()) {
        stop_ = false;
        thread_ = std::thread([this] { run(); });
    }
    tick();
    changed_.notify_all();
}

void Keeper::close() {
    {
        const Hold hold(mutex_);
        stop_ = true;
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
    const Hold hold(mutex_);
    drop_segment();
    link_.let_go();
    retired_.clear();
    condition_ = Condition::Absent;
}

void Keeper::renew() {
    const Hold hold(mutex_);
    if (!current_) return;
    state_due_ = true;
    send_state();
    changed_.notify_all();
}

bool Keeper::wait_ready(double seconds) noexcept {
    Hold hold(mutex_);
    const auto until =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    while (!ready()) {
        if (!current_ || condition_ == Condition::Absent || Clock::now() >= until) return false;
        changed_.wait_for(hold, kWaitingTick);
    }
    return true;
}

bool Keeper::wait_ready() noexcept {
    Hold hold(mutex_);
    while (!ready()) {
        if (!current_ || expects_none_ || condition_ == Condition::Absent) return false;
        const bool alive = current_->engine_pid() != 0 && current_->engine_silent_for() <= kSilence;
        if (!alive && Clock::now() - opened_ > kStartPatience) {
            expects_none_ = true; // the rest of this render does not wait again
            return false;
        }
        changed_.wait_for(hold, kWaitingTick);
        send_state();
    }
    return true;
}

bool Keeper::replace(bridge::HostEnd* end) noexcept {
    const Hold hold(mutex_);
    if (!current_) return false;
    if (end != current_.get()) return true; // has been done
    lose(true);
    opened_ = Clock::now();
    tick();
    changed_.notify_all();
    return current_ != nullptr;
}

// --- The keeper's thread; the lock is held, but in after_tick_ ---

void Keeper::run() {
    Hold hold(mutex_);
    while (!stop_) {
        tick();
        hold.unlock();
        after_tick_();
        hold.lock();
        if (stop_) break;
        const bool waiting = current_ && !ready() && condition_ == Condition::Starting;
        changed_.wait_for(hold, waiting ? kWaitingTick : kTick);
    }
}

void Keeper::tick() {
    if (link_.taken_up()) retired_.clear();
    const auto now = Clock::now();
    if (!current_) {
        // The memory could not be had; now and then there is room again.
        if (now >= next_attach_ && !stop_) make_segment();
        return;
    }
    current_->beat();
    send_state();
    if (current_->engine_pid() == 0 && !was_attached_)
        attach(now);
    else
        watch();
}

void Keeper::attach(Clock::time_point now) {
    if (now < next_attach_) return;
    const auto server = read_server(places_);
    if (!server || !process_there(server->pid)) {
        first_attach_ = {};
        next_attach_ = now + kTick;
        start_engine(now);
        return;
    }
    if (first_attach_ == Clock::time_point{}) first_attach_ = now;
    next_attach_ = now + kAttachEvery;
    if (condition_ != Condition::Failed || losses_ == 0) condition_ = Condition::Starting;
    send_attach(server->osc_port, current_->name(), instrument_, state_.instance());
    if (now - first_attach_ < kServerPatience) return;
    first_attach_ = now;
    const auto engine = read_engine(places_);
    if (!engine || !end_engine(server->pid, engine->command))
        fail("The engine's server (process " + std::to_string(server->pid) + ") does not answer, playing dry.");
}

void Keeper::start_engine(Clock::time_point now) {
    const auto engine = read_engine(places_);
    if (!engine) {
        condition_ = Condition::Absent;
        return;
    }
    if (!runnable(engine->command.front())) {
        fail("The engine's program " + engine->command.front() + " is not there, playing dry.");
        return;
    }
    Starts& all = starts();
    const std::lock_guard<std::mutex> hold(all.lock);
    if (all.tries < 5) condition_ = Condition::Starting;
    if (now < all.next) return;
    const std::filesystem::path log = places_.log / "start.log";
    if (all.tries >= 5) fail("The engine ends as soon as it is started (see " + log.u8string() + "), playing dry.");
    if (!launch(engine->command, log)) fail("The engine could not be started, playing dry.");
    all.next = now + back_off(all.tries);
    ++all.tries;
}

void Keeper::watch() {
    was_attached_ = true;
    if (const auto text = current_->take_state())
        if (state_.take_engine(*text)) ++state_count_;
    const double silent = current_->engine_silent_for();
    if (silent <= kSilence && current_->engine_alive()) {
        if (!current_->ready()) {
            condition_ = Condition::Starting;
            return;
        }
        if (!was_ready_) {
            was_ready_ = true;
            losses_ = 0;
            expects_none_ = false;
            const std::lock_guard<std::mutex> hold(starts().lock);
            starts().tries = 0;
            starts().next = {};
        }
        condition_ = Condition::Running;
        detail_.clear();
        changed_.notify_all();
        return;
    }
    // While nobody takes segments up, there is no hurry to make more of them.
    if (retired_.size() < 3) lose(silent > kSilence);
}

void Keeper::lose(bool hangs) {
    if (hangs) end_user_of_segment(current_->engine_pid(), current_->name());
    if (!was_ready_) ++losses_;
    make_segment();
    if (losses_ > 0) next_attach_ = Clock::now() + back_off(losses_ - 1);
    condition_ = Condition::Starting;
    if (losses_ >= 3)
        fail("The engine was lost " + std::to_string(losses_) +
             " times before it was ready (logs: " + places_.log.u8string() + "), playing dry.");
}

bool Keeper::make_segment() {
    drop_segment();
    was_ready_ = was_attached_ = false;
    first_attach_ = next_attach_ = {};
    try {
        current_ = bridge::HostEnd::create(format_);
    } catch (const bridge::BridgeError& error) {
        link_.offer(nullptr);
        next_attach_ = Clock::now() + 5s;
        fail(std::string(error.what()) + " Playing dry.");
        return false;
    }
    state_due_ = true;
    send_state();
    link_.offer(current_.get());
    condition_ = Condition::Starting;
    return true;
}

// The engine takes it up between two hops; while an earlier one lies there, this one waits.
void Keeper::send_state() {
    if (state_due_ && current_ && current_->send_state(state_.text_for_engine())) state_due_ = false;
}

void Keeper::drop_segment() {
    if (!current_) return;
    current_->close();
    retired_.push_back(std::move(current_));
}

void Keeper::fail(std::string detail) {
    condition_ = Condition::Failed;
    detail_ = std::move(detail);
}

} // namespace terzetto::plugin
