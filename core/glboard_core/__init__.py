"""glboard's headless core: the domain, the GitLab gateway, the sync engine. Never imports textual."""
