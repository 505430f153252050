"""What connects outlast with other packages. Each module needs its package; nothing here imports one by itself."""
