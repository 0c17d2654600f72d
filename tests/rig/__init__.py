"""What tests are played with: people who call, telephones, fakes of what lies outside, trials."""
