// SPDX-License-Identifier: GPL-3.0-or-later
// A few threads for the length of one call. They sleep on a condition variable between jobs: on a shared machine
// a spinning barrier makes everybody wait for the thread that lost its core.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace terzetto {

class Crew {
public:
    using Job = std::function<void(std::size_t job, std::size_t worker)>;

    explicit Crew(std::size_t workers);
    ~Crew();
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    std::size_t workers() const { return threads_.size() + 1; }

    // Runs jobs 0 .. count-1, in rising order as workers become free; the caller works too and gets back when
    // all are done. The first exception of a job is thrown here.
    void run(std::size_t count, const Job& job);

private:
    void serve(std::size_t worker);
    void drain(std::unique_lock<std::mutex>& lock, std::size_t worker);

    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    const Job* job_ = nullptr;
    std::size_t next_ = 0;
    std::size_t count_ = 0;
    std::size_t unfinished_ = 0;
    std::exception_ptr failure_;
    bool closing_ = false;
    std::vector<std::thread> threads_;
};

} // namespace terzetto
