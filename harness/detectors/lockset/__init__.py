"""Locksets (Eraser): which lock seems to guard which location."""
