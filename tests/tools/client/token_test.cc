#include "tools/client/token.h"

#include <gtest/gtest.h>

#include <sstream>

namespace deberta::tools {
namespace {

TEST(TokenTest, HashIsThatOfSha256sum) {
  EXPECT_EQ(TokenSha256("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(TokenTest, NewlineAtTheEndIsNoPartOfIt) {
  std::istringstream text("secret\n");
  EXPECT_EQ(*TokenOf(text), "secret");
}

TEST(TokenTest, WhatIsNoTokenIsNotQuoted) {
  for (const char* text : {"", "\n", "two secrets", "sec\xc3\xa9ret", "a\nb"}) {
    std::istringstream stream(text);
    const auto token = TokenOf(stream);
    ASSERT_FALSE(token.ok()) << text;
    EXPECT_EQ(token.status().message().find("sec"), std::string::npos);
  }
}

}  // namespace
}  // namespace deberta::tools
