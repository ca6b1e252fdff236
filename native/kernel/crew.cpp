// SPDX-License-Identifier: GPL-3.0-or-later
#include "crew.hpp"

#include "denormals.hpp"

#include <exception>
#include <system_error>

namespace terzetto {

Crew::Crew(std::size_t workers) {
    threads_.reserve(workers > 1 ? workers - 1 : 0);
    for (std::size_t w = 1; w < workers; ++w) {
        try {
            threads_.emplace_back([this, w] { serve(w); });
        } catch (const std::system_error&) {
            break; // no more threads to be had: the results do not depend on their number
        }
    }
}

Crew::~Crew() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        closing_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
}

void Crew::run(std::size_t count, const Job& job) {
    if (threads_.empty() || count < 2) {
        for (std::size_t i = 0; i < count; ++i) job(i, 0);
        return;
    }
    std::unique_lock<std::mutex> lock(mutex_);
    job_ = &job;
    next_ = 0;
    count_ = unfinished_ = count;
    failure_ = nullptr;
    wake_.notify_all();
    drain(lock, 0);
    done_.wait(lock, [this] { return unfinished_ == 0; });
    job_ = nullptr;
    if (failure_) std::rethrow_exception(failure_);
}

void Crew::drain(std::unique_lock<std::mutex>& lock, std::size_t worker) {
    while (next_ < count_) {
        const std::size_t mine = next_++;
        const Job& job = *job_;
        lock.unlock();
        std::exception_ptr failure;
        try {
            job(mine, worker);
        } catch (...) {
            failure = std::current_exception();
        }
        lock.lock();
        if (failure && !failure_) failure_ = failure;
        if (--unfinished_ == 0) done_.notify_all();
    }
}

void Crew::serve(std::size_t worker) {
    const FlushDenormals flush;
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
        wake_.wait(lock, [this] { return closing_ || next_ < count_; });
        if (closing_) return;
        drain(lock, worker);
    }
}

} // namespace terzetto
