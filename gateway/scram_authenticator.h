// SCRAM-SHA-256 of the configured users as the broker's enhanced authentication. Thread: the core's.
#pragma once

#include "gateway/broker/authenticator.h"
#include "gateway/login/users.h"

namespace tidegate {

class ScramAuthenticator final : public broker::Authenticator {
 public:
  explicit ScramAuthenticator(const Users& users) : users_(users) {}
  // While some user has a verifier.
  [[nodiscard]] bool knows(std::string_view method) const override;
  [[nodiscard]] std::unique_ptr<broker::AuthExchange> begin(std::string_view method) override;

 private:
  const Users& users_;
};

}  // namespace tidegate
