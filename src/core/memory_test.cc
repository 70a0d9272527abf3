#include "core/memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

namespace sallyport {
namespace {

TEST(Memory, BlocksOfEverySizeHoldWhatWasAskedForAndDoNotOverlap) {
  std::vector<std::pair<char*, std::size_t>> held;
  for (int round = 0; round < 2; ++round) {  // the second from recycled blocks
    for (std::size_t bytes = 1; bytes <= memory::kBlockBytesMax + 64; bytes += 63) {
      auto* const block = static_cast<char*>(memory::take(bytes));
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % __STDCPP_DEFAULT_NEW_ALIGNMENT__, 0U);
      std::memset(block, static_cast<int>(bytes % 251), bytes);
      held.emplace_back(block, bytes);
    }
    for (const auto& [block, bytes] : held) {
      for (std::size_t i = 0; i < bytes; ++i) ASSERT_EQ(block[i], static_cast<char>(bytes % 251));
      memory::give(block, bytes);
    }
    held.clear();
  }
}

TEST(Memory, ABlockMayBeGivenOnAnotherThread) {
  void* const block = memory::take(200);
  std::thread([block] {
    memory::give(block, 200);
    void* const again = memory::take(200);  // that thread's own, freed with it (LeakSanitizer)
    memory::give(again, 200);
  }).join();
}

TEST(Memory, WhatIsBeyondTheBoundGoesBackToTheSystem) {
  constexpr std::size_t kBlocks = 2 * memory::kKeptBytesMax / memory::kBlockBytesMax;
  std::vector<void*> held;
  for (std::size_t i = 0; i < kBlocks; ++i) held.push_back(memory::take(memory::kBlockBytesMax));
  for (void* block : held) memory::give(block, memory::kBlockBytesMax);
  EXPECT_LE(memory::kept_bytes(), memory::kKeptBytesMax);
}

}  // namespace
}  // namespace sallyport
