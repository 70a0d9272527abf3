#include "storage/storage_thread.h"

#include <pthread.h>

namespace sallyport::storage {

StorageThread::StorageThread() : work_(asio::make_work_guard(context_)) {
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "storage");
    context_.run();
  });
}

void StorageThread::post(std::function<void()> fn) {
  if (!stopped_.load()) asio::post(context_, std::move(fn));
}

void StorageThread::stop() {
  if (stopped_.exchange(true)) return;
  work_.reset();
  thread_.join();
}

}  // namespace sallyport::storage
