#include "model/principal.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr WallTime kNow{seconds{1'790'000'000}};

KeyRecord of_addresses(std::initializer_list<const char*> texts) {
  KeyRecord key;
  for (const char* text : texts) key.addresses.push_back(Cidr::parse(text)->unmapped());
  return key;
}

TEST(KeyRecord, WithoutAddressesIsGoodFromAnywhere) {
  EXPECT_TRUE(KeyRecord().allows_address("198.51.100.7"));
  EXPECT_TRUE(KeyRecord().allows_address("local"));
}

TEST(KeyRecord, IsGoodFromItsAddressesAlone) {
  const KeyRecord key = of_addresses({"192.0.2.7", "10.0.0.0/8", "2001:db8::/32"});
  for (const char* inside : {"192.0.2.7", "10.255.255.255", "2001:db8:ffff::1", "::ffff:10.1.2.3"}) {
    EXPECT_TRUE(key.allows_address(inside)) << inside;
  }
  for (const char* outside : {"192.0.2.8", "11.0.0.0", "2001:db9::", "::ffff:11.0.0.1", "::10.0.0.1", "", "local",
                              "10.0.0.1 ", "0010.0.0.1", "fe80::1%eth0"}) {
    EXPECT_FALSE(key.allows_address(outside)) << outside;
  }
}

TEST(KeyRecord, TakesAMappedNetworkForTheIPv4One) {
  const KeyRecord key = of_addresses({"::ffff:10.0.0.0/104"});
  EXPECT_TRUE(key.allows_address("10.1.2.3"));
  EXPECT_TRUE(key.allows_address("::ffff:10.1.2.3"));
  EXPECT_FALSE(key.allows_address("11.1.2.3"));
  EXPECT_EQ(key.addresses[0].text(), "10.0.0.0/8");
  EXPECT_FALSE(of_addresses({"::/0"}).allows_address("10.1.2.3")) << "all of IPv6 is not IPv4";
}

TEST(KeyRecord, KnowsHowLongEachSecretIsGood) {
  KeyRecord key;
  key.secret_number = 3;
  EXPECT_EQ(key.good_until(3), WallTime::max());
  EXPECT_EQ(key.good_until(2), WallTime::min()) << "rotated without grace";
  key.previous_hash = "h";
  key.previous_until = kNow;
  EXPECT_EQ(key.good_until(2), kNow);
  EXPECT_EQ(key.good_until(1), WallTime::min()) << "the second rotation ended it";
  EXPECT_EQ(key.good_until(4), WallTime::min());
  EXPECT_EQ(key.good_until(0), WallTime::min()) << "a session of a person";
  key.expires_at = kNow - hours(1);
  EXPECT_EQ(key.good_until(3), *key.expires_at);
  EXPECT_EQ(key.good_until(2), *key.expires_at) << "no grace beyond the key's own end";
}

TEST(KeyRecord, HasOtherRightsWhenAnythingItMayChanges) {
  const KeyRecord key = of_addresses({"10.0.0.0/8"});
  KeyRecord same = key;
  same.name = "another";
  same.description = "another";
  EXPECT_TRUE(same.same_rights(key));
  const auto differs = [&](auto change) {
    KeyRecord other = key;
    change(other);
    return !other.same_rights(key);
  };
  EXPECT_TRUE(differs([](KeyRecord& k) { k.permissions.add(Permission::tool_read); }));
  EXPECT_TRUE(differs([](KeyRecord& k) { k.grants.push_back({}); }));
  EXPECT_TRUE(differs([](KeyRecord& k) { k.dotted.emplace_back("a.b"); }));
  EXPECT_TRUE(differs([](KeyRecord& k) { k.roles.emplace_back("user"); }));
  EXPECT_TRUE(differs([](KeyRecord& k) { k.addresses.clear(); }));
  EXPECT_TRUE(differs([](KeyRecord& k) { k.expires_at = kNow; }));
}

TEST(Usage, CountsEachUseAndKeepsTheLastToASecond) {
  KeyRecord key;
  const KeyRecord later = key;  // another version of the record
  key.usage->note(kNow);
  later.usage->note(kNow + std::chrono::milliseconds(900));
  EXPECT_EQ(key.usage->count, 2U);
  EXPECT_EQ(key.usage->last, kNow.time_since_epoch().count());
  key.usage->note(kNow + seconds(1));
  key.usage->note(kNow - seconds(5));
  EXPECT_EQ(key.usage->last, WallTime(kNow + seconds(1)).time_since_epoch().count()) << "never backwards";
}

}  // namespace
}  // namespace sallyport
